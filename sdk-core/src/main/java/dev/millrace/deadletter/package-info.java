/** Dead letters: what they are, and the way back for them. */
@NullMarked
package dev.millrace.deadletter;

import org.jspecify.annotations.NullMarked;
