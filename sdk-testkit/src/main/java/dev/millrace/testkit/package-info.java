/**
 * A real Kafka for tests, faults on demand, and checkers of what a consumer or a producer promises.
 *
 * <p>Knows nothing of the SDK itself, so the SDK's own tests stand on it, and users check their own
 * consumers with it. The packages: {@code cluster} (a Kafka to test against), {@code junit} (one
 * for a whole run), {@code probe} (what a test left in a topic or a group).
 */
@NullMarked
package dev.millrace.testkit;

import org.jspecify.annotations.NullMarked;
