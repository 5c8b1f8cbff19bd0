/** One Kafka for a whole test run, and topics of each test's own. */
@NullMarked
package dev.millrace.testkit.junit;

import org.jspecify.annotations.NullMarked;
