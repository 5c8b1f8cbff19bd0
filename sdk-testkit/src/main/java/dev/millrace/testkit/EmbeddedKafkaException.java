package dev.millrace.testkit;

import org.jspecify.annotations.Nullable;

/** The embedded Kafka could not do what was asked; the message says what to look at next. */
public final class EmbeddedKafkaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  EmbeddedKafkaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
