/** The meters and their names. Not API. */
@NullMarked
package dev.millrace.internal.metrics;

import org.jspecify.annotations.NullMarked;
