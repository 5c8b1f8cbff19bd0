package dev.millrace.internal.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.deadletter.DeadLetterHeaders;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class DeadLetterLogTest {
  private static final TopicPartition QUIET = new TopicPartition("orders.g.dlq", 0);
  private static final TopicPartition BUSY = new TopicPartition("orders.g.dlq", 1);

  /** Each offset expires by itself, so that of a quiet partition must be said again and again. */
  @Test
  void whatWasNotedBeforeIsNotedAgainWithWhatIsNew() {
    OffsetAndMetadata before = new OffsetAndMetadata(3);
    MockConsumer<byte[], byte[]> client =
        new MockConsumer<>("none") { // It forgets commits when it is assigned something else.
          @Override
          public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
              Set<TopicPartition> partitions) {
            return Map.of(QUIET, before);
          }
        };
    client.updateBeginningOffsets(Map.of(QUIET, 0L, BUSY, 0L));
    client.updateEndOffsets(Map.of(QUIET, 3L, BUSY, 1L));

    DeadLetterLog log =
        new DeadLetterLog(
            new Scope("Consumer 'failing'", "g", topic -> true, topic -> true),
            client,
            List.of(QUIET, BUSY));
    ConsumerRecord<byte[], byte[]> letter =
        new ConsumerRecord<>(BUSY.topic(), BUSY.partition(), 0, null, new byte[0]);
    Map.of(
            DeadLetterHeaders.ORIGIN_TOPIC, "orders",
            DeadLetterHeaders.ORIGIN_PARTITION, "0",
            DeadLetterHeaders.ORIGIN_OFFSET, "7",
            DeadLetterHeaders.ORIGIN_TIMESTAMP, "1",
            DeadLetterHeaders.GROUP, "g",
            DeadLetterHeaders.ATTEMPTS, "1",
            DeadLetterHeaders.EXCEPTION_CLASS, "java.lang.Error",
            DeadLetterHeaders.EXCEPTION_MESSAGE, "broken")
        .forEach((name, text) -> letter.headers().add(name, text.getBytes(UTF_8)));
    client.addRecord(letter);

    assertThat(log.notes()).isEqualTo(Map.of(QUIET, before));
    log.next().orElseThrow().done();

    assertThat(log.notes()).isEqualTo(Map.of(QUIET, before, BUSY, new OffsetAndMetadata(1)));
    log.noted(log.notes());
    assertThat(log.notes()).isEqualTo(Map.of(QUIET, before, BUSY, new OffsetAndMetadata(1)));
  }
}
