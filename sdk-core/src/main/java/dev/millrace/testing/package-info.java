/**
 * Tests of a service's handlers without Kafka: the real pipeline, in a time that the test steps.
 */
@NullMarked
package dev.millrace.testing;

import org.jspecify.annotations.NullMarked;
