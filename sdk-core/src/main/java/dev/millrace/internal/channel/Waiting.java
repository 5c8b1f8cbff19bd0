package dev.millrace.internal.channel;

/** What a record waits for outside of its handler. */
public sealed interface Waiting {

  /**
   * For its next attempt.
   *
   * @param dueNanos when that is due
   * @param failure the class of the last failure
   */
  record ForRetry(long dueNanos, String failure) implements Waiting {}

  /**
   * For its dead letter's acknowledgement.
   *
   * @param sinceNanos since when
   * @param failure the class of the last failure
   */
  record ForDeadLetter(long sinceNanos, String failure) implements Waiting {}

  /**
   * For the service's executor, which has been given its attempt and has not begun it.
   *
   * @param sinceNanos since when
   */
  record ForExecutor(long sinceNanos) implements Waiting {}
}
