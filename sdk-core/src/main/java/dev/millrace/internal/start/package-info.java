/** When handlers may start: circuit breakers and rate limits. Not API. */
@NullMarked
package dev.millrace.internal.start;

import org.jspecify.annotations.NullMarked;
