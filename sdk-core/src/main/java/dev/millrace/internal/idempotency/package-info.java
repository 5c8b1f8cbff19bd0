/** Which message a record is, and who claims it. */
@NullMarked
package dev.millrace.internal.idempotency;

import org.jspecify.annotations.NullMarked;
