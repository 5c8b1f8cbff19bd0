package dev.millrace.internal.transaction;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.jspecify.annotations.Nullable;

/**
 * A record whose output no transaction can hold, whatever else is in it.
 *
 * @param partition that it was read from
 * @param offset its own
 * @param outputTopic where its output was to go
 * @param departure how the record was to leave by it; null when its handler has sent it
 * @param cause why it can't
 */
public record Poison(
    TopicPartition partition,
    long offset,
    String outputTopic,
    @Nullable Departure departure,
    Throwable cause) {

  /**
   * Whether a failed send is the fault of what was sent: other records would not fail like it.
   *
   * @param topic that it was sent to
   * @param first whether none has failed before it in its transaction; what fails later may have
   *     got another one's failure
   */
  static boolean isCause(Throwable failure, String topic, boolean first) {
    if (failure instanceof TopicAuthorizationException forbidden) {
      return forbidden.unauthorizedTopics().contains(topic);
    }
    return first && Departure.isRefused(failure);
  }

  static Poison of(RecordEnd end, ProducerRecord<?, ?> output, Throwable cause) {
    return new Poison(
        new TopicPartition(end.topic(), end.partition()),
        end.ticket().offset(),
        output.topic(),
        end.departure(),
        cause);
  }
}
