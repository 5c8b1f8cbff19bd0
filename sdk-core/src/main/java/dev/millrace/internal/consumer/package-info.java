/** The consumer engine: the poll thread, what it decides, and the handle on it. Not API. */
@NullMarked
package dev.millrace.internal.consumer;

import org.jspecify.annotations.NullMarked;
