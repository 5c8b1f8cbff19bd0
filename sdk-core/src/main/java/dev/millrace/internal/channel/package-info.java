/** The bounded hand-off from the poll thread to the workers: lanes keep the order. Not API. */
@NullMarked
package dev.millrace.internal.channel;

import org.jspecify.annotations.NullMarked;
