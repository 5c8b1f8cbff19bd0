/**
 * A real Kafka for tests: a broker inside the test's JVM, a JUnit Jupiter extension that shares it,
 * and probes that read what a test left in a topic or a group.
 *
 * <p>Knows nothing of the SDK itself, so the SDK's own tests stand on it.
 */
@NullMarked
package dev.millrace.testkit;

import org.jspecify.annotations.NullMarked;
