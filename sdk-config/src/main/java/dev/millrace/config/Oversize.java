package dev.millrace.config;

/** What becomes of a dead letter that its topic has no room for, even without its headers. */
public enum Oversize {
  /** The consumer stops; the offset stays before the record. */
  STOP,

  /**
   * The dead letter only says where its record stands: its value is empty. What retention takes
   * from there is gone.
   */
  REFERENCE
}
