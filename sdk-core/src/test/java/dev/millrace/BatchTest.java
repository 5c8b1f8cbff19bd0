package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Batches from a real broker. */
@KafkaTest
class BatchTest {
  private static final int KEYS = 40;
  private static final int PER_KEY = 60;
  private static final int ALL = KEYS * PER_KEY;

  private final BrokerFixture broker;
  private final OrderWatch order = new OrderWatch();

  BatchTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void partitionsAreWorkedOffInBatchesWithAnOutcomeForEachRecord() {
    broker.create(2);
    fill();
    Queue<Integer> sizes = new ConcurrentLinkedQueue<>();
    Map<String, Integer> attempts = new ConcurrentHashMap<>();
    consumer("partition")
        .createConsumer("batches", String.class)
        .subscribeBatch(
            records -> {
              sizes.add(records.size());
              Set<Integer> partitions = new HashSet<>();
              for (BatchRecord<String> record : records) {
                partitions.add(record.context().partition());
                String name = record.context().partition() + "@" + record.context().offset();
                attempts.merge(name, 1, Integer::sum);
                if (record.context().offset() % 100 == 7) {
                  record.deadLetter(new IllegalStateException("one in a hundred"));
                } else if (record.context().offset() % 10 == 3 && record.context().attempt() == 1) {
                  record.retry(new IllegalStateException("one in ten works the second time"));
                }
              }
              assertThat(partitions).hasSize(1);
            });

    broker.awaitLagZero();
    assertThat(attempts).hasSize(ALL);
    attempts.forEach(
        (name, count) ->
            assertThat(count)
                .as(name)
                .isEqualTo(Long.parseLong(name.substring(2)) % 10 == 3 ? 2 : 1));
    assertThat(sizes).allMatch(size -> size <= 100).contains(100);
    long given = attempts.keySet().stream().filter(name -> name.matches("\\d@(\\d*0)?7")).count();
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).hasSize((int) given);
  }

  @Test
  void underKeyABatchIsOfOneKeyAndEachKeyIsInOrder() {
    broker.create(2);
    fill();
    Queue<Set<String>> keys = new ConcurrentLinkedQueue<>();
    consumer("key")
        .createConsumer("batches", String.class)
        .subscribeBatch(
            records -> {
              keys.add(Set.copyOf(records.stream().map(record -> record.context().key()).toList()));
              handle(records);
            });

    broker.awaitLagZero();
    order.assertAllHandled(KEYS, PER_KEY);
    assertThat(order.repeated()).isZero();
    assertThat(keys).allMatch(inOneBatch -> inOneBatch.size() == 1);
  }

  @Test
  void aFewRecordsAreHandledAfterTheWait() {
    broker.create(1);
    Queue<String> handled = new ConcurrentLinkedQueue<>();
    consumer("unordered")
        .createConsumer("batches", String.class)
        .subscribeBatch(records -> records.forEach(record -> handled.add(record.value())));

    broker.send("a", "1");
    await().atMost(SOON).until(() -> handled.size() == 1);
    broker.send("b", "2");
    broker.awaitLagZero();

    assertThat(handled).containsExactly("1", "2");
  }

  private void handle(List<BatchRecord<String>> records) throws Exception {
    for (BatchRecord<String> record : records) {
      order.handle(record.context().key(), Long.parseLong(record.value()), () -> {});
    }
  }

  private void fill() {
    for (int sequence = 0; sequence < PER_KEY; sequence++) {
      for (int key = 0; key < KEYS; key++) {
        broker.sendLater("key-" + key, Integer.toString(sequence));
      }
    }
    broker.flush();
  }

  private KafkaFactory consumer(String ordering) {
    return broker.factory(
        """
        kafka:
          common: { bootstrap-servers: "${BROKERS}" }
          consumers:
            batches:
              topics: ["${TOPIC}"]
              group-id: ${GROUP}
              ordering: %s
              batch: { max-records: 100, max-wait: 200ms }
              retry: { max-attempts: 3, backoff: { initial: 1ms } }
              dead-letter: {}
        """
            .formatted(ordering));
  }
}
