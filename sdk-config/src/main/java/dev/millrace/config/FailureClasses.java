package dev.millrace.config;

import java.util.List;

/**
 * What a handler may fail with, sorted by whether another attempt can help. A class stands for its
 * subclasses too, unless one of them is in the other list. What is in neither is retryable.
 *
 * @param retryable after which there are more attempts
 * @param nonRetryable after which there are none, neither in place nor in retry topics
 */
public record FailureClasses(
    List<Class<? extends Throwable>> retryable, List<Class<? extends Throwable>> nonRetryable) {
  /** Whatever a handler fails with is retryable. */
  public static final FailureClasses NONE = new FailureClasses(List.of(), List.of());

  public FailureClasses {
    retryable = List.copyOf(retryable);
    nonRetryable = List.copyOf(nonRetryable);
  }
}
