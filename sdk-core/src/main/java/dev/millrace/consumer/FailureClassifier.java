package dev.millrace.consumer;

/**
 * Says whether another attempt may follow a failure, where classes of exceptions can't say it.
 *
 * <p>Called on the thread that the attempt ended on, a worker's or the service's own, for many
 * records at a time; it must not block. What it throws is logged, and the failure is treated as
 * though this had said {@link Decision#DEFAULT}.
 */
@FunctionalInterface
public interface FailureClassifier {

  /** What follows a failure. */
  enum Decision {
    /** Another attempt, as long as there are any. */
    RETRY,
    /** None, neither in place nor in a retry topic: the record is given up. */
    GIVE_UP,
    /** What follows without a classifier. */
    DEFAULT
  }

  /**
   * Decides on a failed attempt. Goes before everything else that is said of failures.
   *
   * @param failure what the handler threw, or its stage failed with, without the {@link
   *     java.util.concurrent.CompletionException} or {@link
   *     java.util.concurrent.ExecutionException} around it; a {@link
   *     dev.millrace.errors.PayloadException} when the value could not be decoded, after which
   *     nothing else but this has it tried again
   */
  Decision decide(Throwable failure);
}
