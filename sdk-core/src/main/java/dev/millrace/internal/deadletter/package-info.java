/** Reads dead letters and brings them back. Not API. */
@NullMarked
package dev.millrace.internal.deadletter;

import org.jspecify.annotations.NullMarked;
