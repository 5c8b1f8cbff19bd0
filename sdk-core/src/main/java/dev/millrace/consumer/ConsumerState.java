package dev.millrace.consumer;

/** The life of a consumer; it only ever moves down this list, and ends in one of the last two. */
public enum ConsumerState {
  /** Polls and handles records. */
  RUNNING,
  /** Takes no more records, waits for the running ones, commits. */
  STOPPING,
  /** Ended because it was closed. */
  CLOSED,
  /** Ended by itself; see {@link MessageConsumer#failure()}. */
  FAILED
}
