package dev.millrace.testkit.history;

/** What an {@link Event} tells. */
public enum Kind {
  /** A writer opened its history; what follows under its name is one incarnation. */
  PROCESS_STARTED,
  /** A writer closed its history. A killed process never says so. */
  PROCESS_ENDED,
  /** The broker acknowledged a send: the record has a place. */
  ACKED,
  /** A send failed or got no answer: the record may be in the log, or come into it later. */
  SEND_UNKNOWN,
  /** A handler is about to be called with a record. */
  STARTED,
  /** A handler came back; the record's {@link Outcome} says how. */
  ENDED,
  /** Partitions came. */
  ASSIGNED,
  /** Partitions were given up in order. */
  REVOKED,
  /** Partitions were taken away without asking. */
  LOST,
  /** The client saw these offsets acknowledged. */
  COMMITTED,
  /** The position was moved on purpose: a seek, or a reset of the group. */
  SEEK,
  /** A fault began. */
  FAULT_BEGAN,
  /** A fault is over. */
  FAULT_HEALED,
  /** The process came to a place where it may be killed. */
  KILL_POINT,
  /** Anything else worth reading later. */
  NOTE,
  /**
   * Made by the reader: the file's last line of this writer is not whole, so the writer was killed
   * or its disk was full while it wrote.
   */
  TORN
}
