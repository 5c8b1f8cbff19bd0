package dev.millrace.config;

/** What becomes of a send when a producer has as much on its way as it may. */
public enum WhenFull {
  /** It waits for room, for up to {@code max.block.ms}, and then fails. */
  BLOCK,

  /** It fails at once. */
  FAIL,

  /** As {@link #FAIL}, and is counted as dropped: its loss is what the service wants then. */
  DROP
}
