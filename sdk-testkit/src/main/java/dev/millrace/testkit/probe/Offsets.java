package dev.millrace.testkit.probe;

/**
 * The ends of a partition at one moment.
 *
 * @param begin the first offset still there
 * @param lastStable where readers of committed records come to the end for now; below {@code end}
 *     while a transaction is open
 * @param end one beyond the last replicated record or marker
 */
public record Offsets(long begin, long lastStable, long end) {}
