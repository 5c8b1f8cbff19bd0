package dev.millrace.config;

/** What becomes of a record whose attempts are used up when there is no dead-letter topic. */
public enum FailurePolicy {
  /** The consumer stops with the record's failure as its cause; the offset stays before it. */
  STOP,

  /** The record is passed over: it is logged and counted, and its offset is committed. */
  SKIP
}
