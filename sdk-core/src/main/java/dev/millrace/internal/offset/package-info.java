/** Which offsets are safe to commit. Not API. */
@NullMarked
package dev.millrace.internal.offset;

import org.jspecify.annotations.NullMarked;
