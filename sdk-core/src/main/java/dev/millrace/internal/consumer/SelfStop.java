package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.errors.ConsumerFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/** The ways in which a consumer ends by itself, each with its words. Any thread. */
final class SelfStop {
  private static final String WHEN_TOO_LARGE =
      "; raise that topic's max.message.bytes, or write 'dead-letter.oversize: reference'";
  private static final String WHEN_INVALID =
      "; a compacted topic takes no record without a key: give that one 'cleanup.policy: delete', or the consumer another 'dead-letter.topic'";

  private final ConsumerDefinition definition;
  private final StopRequest stop;

  SelfStop(ConsumerDefinition definition, StopRequest stop) {
    this.definition = definition;
    this.stop = stop;
  }

  /** Returns what to do about a dead letter that its topic has refused for good. */
  static String advice(Throwable refusal) {
    if (refusal instanceof RecordTooLargeException) {
      return WHEN_TOO_LARGE;
    }
    return refusal instanceof InvalidRecordException ? WHEN_INVALID : "";
  }

  /** A record can be neither handled nor passed. Worker, or the producer's I/O thread. */
  void at(ConsumerRecord<byte[], byte[]> record, Throwable cause) {
    String kept =
        definition.mode() == ConsumerMode.QUEUE
            ? "It is released to its group"
            : "The offset stays before it";
    String why =
        definition.deadLetter() == null
            ? "which has no attempt left (%s). "
                + kept
                + "; configure 'dead-letter' or 'on-failure: skip' to go on without such records."
            : "which can be neither handled nor written to its dead-letter topic (%s). "
                + kept
                + advice(cause)
                + ".";
    request(
        new ConsumerFailedException(
            "Consumer '%s' stopped at %s-%d@%d, "
                    .formatted(
                        definition.name(), record.topic(), record.partition(), record.offset())
                + why.formatted(cause),
            cause));
  }

  /** Something else that it can't live with. Poll thread or worker. */
  void because(Throwable failure) {
    request(
        failure instanceof ConsumerFailedException told
            ? told
            : new ConsumerFailedException(
                "Consumer '%s' stopped because of %s".formatted(definition.name(), failure),
                failure));
  }

  private void request(ConsumerFailedException failure) {
    stop.request(failure, definition.closeTimeout());
  }
}
