/** Time, and what it brings about; another time than the system's can be handed in. Not API. */
@NullMarked
package dev.millrace.internal.time;

import org.jspecify.annotations.NullMarked;
