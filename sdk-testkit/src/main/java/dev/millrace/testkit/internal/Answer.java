package dev.millrace.testkit.internal;

import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaFuture;

/** Waits for a broker's answer, with a bound and with one kind of exception. */
public final class Answer {
  public static final Duration BOUND = Duration.ofSeconds(30);

  private Answer() {}

  /**
   * Returns the answer.
   *
   * @param request what was asked, for the message: "create topic orders"
   * @throws TestKitException if the broker refused (its reason is the cause), gave no answer within
   *     {@link #BOUND}, or the caller was interrupted
   */
  public static <T> T to(String request, KafkaFuture<T> answer) {
    try {
      return answer.get(BOUND.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new TestKitException("Cannot " + request + ": " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new TestKitException(
          "Cannot " + request + ": no answer within " + BOUND + "; is the broker running?", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestKitException("Interrupted while waiting to " + request, e);
    }
  }
}
