package dev.millrace.config;

/** What is done about a record that stays in its handler for too long, besides the warning. */
public enum WatchdogPolicy {
  /** Nothing. The default. */
  WARN,
  /**
   * The handler's thread is interrupted; what the handler then throws is a failed attempt like any
   * other. A handler without a thread is only warned of.
   */
  INTERRUPT,
  /**
   * The record is given up: the handler's thread is interrupted, and when the handler ends, in
   * whatever way, the record goes to the dead-letter topic without another attempt.
   */
  DEAD_LETTER,
  /** The consumer counts as unhealthy for as long as the handler runs. */
  UNHEALTHY
}
