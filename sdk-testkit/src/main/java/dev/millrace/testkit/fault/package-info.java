/** Faults by a schedule that a seed gives, beside a load, and the verdict on what held. */
@NullMarked
package dev.millrace.testkit.fault;

import org.jspecify.annotations.NullMarked;
