/**
 * Measurements, end to end against a broker in a process: each contender runs in a fresh JVM, and
 * every run is checked. {@code Benchmarks} is the program, {@code ContenderProcess} what it starts.
 */
@NullMarked
package dev.millrace.benchmarks;

import org.jspecify.annotations.NullMarked;
