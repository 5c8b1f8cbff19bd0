/** What moves an engine: time, threads and waiting, so that others can be handed in. Not API. */
@NullMarked
package dev.millrace.internal.runtime;

import org.jspecify.annotations.NullMarked;
