/**
 * Transactions of exactly-once consumers: how the ends of records, their outputs and the offsets
 * come to be one. Not API.
 */
@NullMarked
package dev.millrace.internal.transaction;

import org.jspecify.annotations.NullMarked;
