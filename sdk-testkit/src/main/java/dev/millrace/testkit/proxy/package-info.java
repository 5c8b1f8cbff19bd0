/**
 * A TCP proxy in front of a broker that cuts, swallows, delays and throttles, and that knows enough
 * of Kafka's protocol to hold or drop chosen requests and responses; it witnesses every effect.
 */
@NullMarked
package dev.millrace.testkit.proxy;

import org.jspecify.annotations.NullMarked;
