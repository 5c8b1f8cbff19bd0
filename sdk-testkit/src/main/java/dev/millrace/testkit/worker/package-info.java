/** A consumer or producer under test in a JVM of its own, which can be killed at a chosen point. */
@NullMarked
package dev.millrace.testkit.worker;

import org.jspecify.annotations.NullMarked;
