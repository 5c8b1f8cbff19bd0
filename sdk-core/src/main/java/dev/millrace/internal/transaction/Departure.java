package dev.millrace.internal.transaction;

/**
 * How a record leaves for another topic. Immutable.
 *
 * @param cause why: what its last attempt failed with
 * @param attempts how many it has had
 * @param level the retry topic that it goes to, from 1; 0 for the dead-letter topic
 * @param cut how much of its dead letter is left out, for want of room; 0 for nothing
 */
public record Departure(Throwable cause, int attempts, int level, int cut) {

  /** Returns the same with more left out. */
  public Departure cutMore() {
    return new Departure(cause, attempts, level, cut + 1);
  }
}
