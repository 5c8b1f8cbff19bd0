/** Handling a message once, however often it is in the log: who has it, and whether it is done. */
@NullMarked
package dev.millrace.idempotency;

import org.jspecify.annotations.NullMarked;
