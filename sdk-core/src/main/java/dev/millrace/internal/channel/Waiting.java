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
   * For its message, which another one has, or of which the idempotency store does not tell.
   *
   * @param sinceNanos since when
   * @param why one of the texts here
   */
  record ForMessage(long sinceNanos, String why) implements Waiting {
    public static final String ANOTHER = "another one has its message";
    public static final String STORE = "the idempotency store does not answer";
    public static final String END = "the idempotency store can't be told that it is handled";
  }

  /**
   * For the acknowledgement of a retry topic.
   *
   * @param level which one, from 1
   * @param sinceNanos since when
   * @param failure the class of the last failure
   */
  record ForRetryTopic(int level, long sinceNanos, String failure) implements Waiting {}

  /**
   * For the leave to start its handler.
   *
   * @param number where it stands among those that wait for that
   * @param sinceNanos since when
   * @param why one of the texts here
   */
  record ForStart(long number, long sinceNanos, String why) implements Waiting {
    public static final String CIRCUIT = "the circuit is open";
    public static final String RATE = "the rate limit lets no more start";
  }

  /**
   * For an earlier record of its key, which is in a retry topic, or was when this one last asked.
   *
   * @param sinceNanos since when
   */
  record ForKey(long sinceNanos) implements Waiting {}

  /**
   * For the service's executor, which has been given its attempt and has not begun it.
   *
   * @param sinceNanos since when
   */
  record ForExecutor(long sinceNanos) implements Waiting {}
}
