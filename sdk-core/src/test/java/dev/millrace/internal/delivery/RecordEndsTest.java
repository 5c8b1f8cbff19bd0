package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.channel.Deliveries;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.History;
import dev.millrace.internal.channel.PartitionLoad;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import dev.millrace.internal.transaction.Slice;
import dev.millrace.internal.transaction.Slices;
import dev.millrace.internal.transaction.Transactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** In which transaction a record ends that was polled from another topic than it is of. */
class RecordEndsTest {
  private static final TopicPartition ORIGIN = new TopicPartition("topic", 0);

  private final Sent ofOne = new Sent();
  private final Sent ofOther = new Sent();
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Slices slices = new Slices(List.of(ofOne, ofOther), number -> thread, () -> {});

  /** Transactions that are always open. */
  private static final class Sent implements Transactions {
    final List<String> outputs = new ArrayList<>();
    final List<String> topics = new ArrayList<>();

    @Override
    public void begin() {}

    @Override
    public void awaitTopic(String topic) {
      topics.add(topic);
    }

    @Override
    public void send(ProducerRecord<byte[], byte[]> output, Consumer<Throwable> onFailure) {
      outputs.add(output.topic());
    }

    @Override
    public void commit(
        Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {}

    @Override
    public void abort() {}

    @Override
    public void close(Duration bound) {}
  }

  @AfterEach
  void close() {
    thread.shutdown();
  }

  /** There its offset is committed; the partition that it came from is another slice's. */
  @Test
  void aRecordOfARetryTopicEndsInTheSliceOfItsPartitionThere() {
    Slice origins = slices.of(ORIGIN);
    TopicPartition retry =
        List.of(new TopicPartition("retry", 0), new TopicPartition("retry", 1)).stream()
            .filter(partition -> slices.of(partition) != origins)
            .findFirst()
            .orElseThrow();
    Sent its = slices.all().get(0) == origins ? ofOther : ofOne;
    slices.of(retry).open();
    Delivery delivery = delivery(retry);
    RecordEnds ends = RecordEnds.in(slices, serializer());

    ends.awaitTopic(delivery, "dead-letters");
    Effect effect =
        ends.end(
            delivery,
            List.of(new ProducerRecord<>("out", new byte[0])),
            completed -> {
              throw new AssertionError("The other slice is shut.");
            });

    assertThat(effect).isEqualTo(Effect.COMPLETED);
    assertThat(its.topics).containsExactly("dead-letters");
    assertThat(its.outputs).containsExactly("out");
  }

  private static Delivery delivery(TopicPartition readFrom) {
    Delivery delivery =
        new Delivery(
            Deliveries.record(0, "key"),
            Objects.requireNonNull(new OffsetTracker(readFrom, CompletedAhead.NONE).issue(7, -1)),
            new PartitionLoad(),
            0,
            new History(1, readFrom, 1, -1));
    assertThat(delivery.ticket().start()).isTrue();
    return delivery;
  }

  private static Serializer<Object> serializer() {
    ByteArraySerializer bytes = new ByteArraySerializer();
    return (topic, value) -> bytes.serialize(topic, (byte[]) value);
  }
}
