package dev.millrace.internal.producer;

import java.time.Duration;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Says why a transaction failed, and who may have fenced it. Pure. */
final class Fencing {
  private Fencing() {}

  /** Returns the deepest cause, which is what the brokers or the client said. */
  static String reason(Throwable failure) {
    Throwable deepest = failure;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String message = deepest.getMessage();
    return deepest.getClass().getSimpleName() + (message == null ? "" : ": " + message);
  }

  /**
   * Returns what to do about a fenced client, or nothing. The brokers answer alike when another
   * client has taken the transactional id over and when they have ended the transaction themselves;
   * but this they do only after its time-out.
   *
   * @param lasted since the transaction began
   */
  static String advice(
      Throwable failure, String transactionalId, Duration lasted, Duration timeout) {
    if (!isFenced(failure)) {
      return "";
    }
    return lasted.compareTo(timeout) < 0
        ? " Another process has taken over transactional id '%s': give each process an 'instance-id' of its own."
            .formatted(transactionalId)
        : " It had lasted %d ms, longer than its 'transaction.timeout' of %d ms, after which the brokers end it."
            .formatted(lasted.toMillis(), timeout.toMillis());
  }

  private static boolean isFenced(Throwable failure) {
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof ProducerFencedException
          || each instanceof InvalidProducerEpochException) {
        return true;
      }
    }
    return false;
  }
}
