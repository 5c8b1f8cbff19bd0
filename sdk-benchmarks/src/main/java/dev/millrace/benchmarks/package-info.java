/** Measurements: each prints figures as ratios within its own run, and asserts nothing. */
@NullMarked
package dev.millrace.benchmarks;

import org.jspecify.annotations.NullMarked;
