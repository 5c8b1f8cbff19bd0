/** Messages handled once, by means of a database. */
@NullMarked
package dev.millrace.idempotency.jdbc;

import org.jspecify.annotations.NullMarked;
