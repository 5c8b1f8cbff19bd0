package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A topic, and what a group's exactly-once copy of it has come to. Each record has the number of
 * its key and its own among those of the key.
 */
final class CopiedTopic {
  private static final Duration LONG = Duration.ofMinutes(2);

  private final KafkaCluster kafka;
  private final String group;
  private final String in;
  private final String out;

  CopiedTopic(KafkaCluster kafka, String group, String in, String out) {
    this.kafka = kafka;
    this.group = group;
    this.in = in;
    this.out = out;
  }

  /** Writes records of so many keys, from a number on. */
  void publish(int from, int to, int keys) {
    List<Future<?>> sent = new ArrayList<>();
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.directServers()),
            new StringSerializer(),
            new StringSerializer())) {
      for (int i = from; i < to; i++) {
        sent.add(
            producer.send(new ProducerRecord<>(in, "key-" + i % keys, i % keys + "/" + i / keys)));
      }
      for (Future<?> record : sent) {
        record.get();
      }
    } catch (Exception e) {
      throw new AssertionError("The input can't be written", e);
    }
  }

  GroupProbe progress() {
    return GroupProbe.of(kafka.directServers(), group, in);
  }

  TopicProbe outputs() {
    return TopicProbe.of(kafka.directServers(), out);
  }

  List<ConsumerRecord<byte[], byte[]>> inputs() {
    return TopicProbe.of(kafka.directServers(), in).readAll();
  }

  /**
   * While nobody copies: waits until no transaction is open; then the offsets, with what is saved
   * beyond them, cover those inputs whose outputs are there, and no other.
   *
   * @return how many that are
   */
  int assertOffsetsSayWhatIsThere() {
    awaitNothingOpen();
    Map<TopicPartition, OffsetAndMetadata> committed = progress().committed();
    Set<String> covered = new HashSet<>();
    for (ConsumerRecord<byte[], byte[]> input : inputs()) {
      TopicPartition partition = new TopicPartition(in, input.partition());
      OffsetAndMetadata offset = committed.get(partition);
      if (offset != null
          && (input.offset() < offset.offset()
              || CompletedAhead.read(partition, offset)
                  .orElseThrow()
                  .done()
                  .contains(input.offset()))) {
        covered.add(text(input));
      }
    }
    List<String> there = outputs().readAll().stream().map(CopiedTopic::text).toList();
    assertThat(there).doesNotHaveDuplicates();
    Set<String> withoutOffset = new HashSet<>(there);
    withoutOffset.removeAll(covered);
    assertThat(withoutOffset).as("outputs whose inputs no offset covers").isEmpty();
    covered.removeAll(new HashSet<>(there));
    assertThat(covered).as("inputs that an offset covers, without an output").isEmpty();
    return there.size();
  }

  private void awaitNothingOpen() {
    await()
        .atMost(LONG)
        .untilAsserted(
            () -> {
              assertThat(outputs().openTransactions()).isEmpty();
              assertThat(progress().commits())
                  .noneMatch(commit -> commit.state() == Commit.State.PENDING);
            });
  }

  /**
   * Each input is there once, keys are in order, nothing is open, and the offsets are at the end.
   */
  void assertComplete() {
    awaitNothingOpen();
    List<ConsumerRecord<byte[], byte[]>> inputs = inputs();
    List<ConsumerRecord<byte[], byte[]>> outputs = outputs().readAll();
    Guarantee.checkAll(
            Evidence.builder()
                .source(in, inputs)
                .sink(out, outputs)
                .offsets(TopicProbe.of(kafka.directServers(), in).offsets())
                .offsets(outputs().offsets())
                .openTransactions(outputs().openTransactions())
                .commits(progress().commits())
                .build(),
            Guarantee.exactlyOnceCopy(in, out),
            Guarantee.transactionsClosed(),
            Guarantee.commitsMonotonic())
        .assertHolds();
    assertInOrderPerKey(outputs);
    Map<TopicPartition, Long> ends = new HashMap<>();
    inputs.forEach(
        input ->
            ends.merge(new TopicPartition(in, input.partition()), input.offset() + 1, Math::max));
    Map<TopicPartition, OffsetAndMetadata> committed = progress().committed();
    ends.forEach(
        (partition, end) -> {
          OffsetAndMetadata offset = committed.get(partition);
          assertThat(offset).as("committed of %s", partition).isNotNull();
          assertThat(offset.offset()).as("committed of %s", partition).isGreaterThanOrEqualTo(end);
          assertThat(offset.metadata()).as("saved beyond the end of %s", partition).isEmpty();
        });
  }

  private static void assertInOrderPerKey(List<ConsumerRecord<byte[], byte[]>> outputs) {
    Map<String, Integer> next = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> output : outputs) {
      String[] text = text(output).split("/", 2);
      assertThat(Integer.parseInt(text[1]))
          .as(
              "number among those of key %s, at %s@%d",
              text[0], output.partition(), output.offset())
          .isEqualTo(next.getOrDefault(text[0], 0));
      next.merge(text[0], 1, Integer::sum);
    }
  }

  private static String text(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.value(), UTF_8);
  }
}
