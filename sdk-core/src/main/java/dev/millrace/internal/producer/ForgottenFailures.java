package dev.millrace.internal.producer;

import dev.millrace.internal.time.LogThrottle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells of failed sends whose future nobody has. Any thread. */
final class ForgottenFailures {
  private static final Logger LOG = LoggerFactory.getLogger(ForgottenFailures.class);

  private final String producer;
  private final LogThrottle throttle = new LogThrottle();

  ForgottenFailures(String producer) {
    this.producer = producer;
  }

  /** Kafka's texts name topic and partition, and never a payload. */
  void report(Throwable failure) {
    String more = throttle.permit();
    if (more != null) {
      LOG.warn(
          "Producer '{}': a record that was sent without waiting was not acknowledged: {}{}",
          producer,
          failure.toString(),
          more);
    }
  }
}
