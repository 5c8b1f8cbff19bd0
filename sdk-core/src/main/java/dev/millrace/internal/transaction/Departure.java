package dev.millrace.internal.transaction;

/**
 * How a record leaves for another topic. Immutable.
 *
 * @param cause why: what its last attempt failed with
 * @param gaveUp why it has no other; empty when it goes to a retry topic
 * @param attempts how many it has had
 * @param level the retry topic that it goes to, from 1; 0 for the dead-letter topic
 * @param cut how much of its dead letter is left out, for want of room; 0 for nothing
 */
public record Departure(Throwable cause, String gaveUp, int attempts, int level, int cut) {

  /** Returns the same with more left out. */
  public Departure cutMore() {
    return new Departure(cause, gaveUp, attempts, level, cut + 1);
  }
}
