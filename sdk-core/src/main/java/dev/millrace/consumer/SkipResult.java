package dev.millrace.consumer;

/** What came of {@link MessageConsumer#skip}. */
public enum SkipResult {
  /**
   * The record waited: queued, for a retry, until it is due in a retry topic, for its message, or
   * for the topic that it goes to. It has ended.
   */
  SKIPPED,

  /**
   * The record is in its handler, its idempotency store is asked, or it is on its way to the dead
   * letters or a retry topic. When that fails, the record ends as skipped; when it succeeds, as it
   * would have.
   */
  WHEN_IT_FAILS,

  /** The record had ended before, or is none that was to be handled; nothing was done. */
  ENDED_BEFORE,

  /** The consumer has not taken the record yet; nothing was done. */
  NOT_TAKEN
}
