package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each word of {@code ordering} keeps in order, and what it lets run at the same time. */
@KafkaTest
class OrderingTest {
  private static final int CONCURRENCY = 16;

  private final BrokerFixture broker;
  private final OrderWatch order = new OrderWatch();

  OrderingTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void underKeyEachKeyIsInOrder() {
    broker.create(2);
    fill(40, 60);

    subscribe(
        "key",
        (value, context) ->
            order.handle(context.key(), Long.parseLong(value), () -> unevenWork(value)));

    broker.awaitLagZero();
    order.assertAllHandled(40, 60);
    assertThat(order.repeated()).isZero();
  }

  @Test
  void underKeyDifferentKeysRunAtTheSameTime() {
    broker.create(1);
    for (int key = 0; key < CONCURRENCY; key++) {
      broker.sendLater("key-" + key, "0");
    }
    broker.flush();
    meetInHandlers("key", CONCURRENCY);
  }

  @Test
  void underPartitionEachPartitionIsInOrderAndPartitionsRunAtTheSameTime() {
    broker.create(4);
    fill(40, 60);
    CyclicBarrier allPartitions = new CyclicBarrier(4);

    subscribe(
        "partition",
        (value, context) -> {
          if (context.offset() == 0) {
            allPartitions.await(SOON.toSeconds(), TimeUnit.SECONDS);
          }
          order.handle(
              "partition-" + context.partition(), context.offset(), () -> unevenWork(value));
        });

    broker.awaitLagZero();
    assertThat(order.handled()).isEqualTo(40 * 60);
    order.assertNoViolation();
    assertThat(allPartitions.isBroken()).isFalse();
  }

  @Test
  void underAnOrderingKeyRecordsOfDifferentKeysAreInOrder() {
    broker.create(1);
    for (int sequence = 0; sequence < 60; sequence++) {
      for (int region = 0; region < 8; region++) {
        broker.sendLater("region-" + region + "/customer-" + sequence, "" + sequence);
      }
    }
    broker.flush();

    prepare("key")
        .orderBy(record -> region(new String(record.key(), UTF_8)).getBytes(UTF_8))
        .subscribe(
            (value, context) ->
                order.handle(
                    region(context.key()), Long.parseLong(value), () -> unevenWork(value)));

    broker.awaitLagZero();
    order.assertAllHandled(8, 60);
    assertThat(order.repeated()).isZero();
  }

  private static String region(String key) {
    return key.substring(0, key.indexOf('/'));
  }

  @ParameterizedTest
  @ValueSource(strings = {"partition", "unordered"})
  void anOrderingKeyIsRefusedWhereKeysHaveNoOrder(String ordering) {
    PreparedConsumer<String> prepared = prepare(ordering);

    assertThatThrownBy(() -> prepared.orderBy(record -> record.value()))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'ordering': an OrderingKey is of no use under 'ordering: "
                + ordering
                + "'; write 'ordering: key', or do without.");
  }

  @Test
  void unorderedRunsRecordsOfOneKeyAtTheSameTime() {
    broker.create(1);
    for (int i = 0; i < CONCURRENCY; i++) {
      broker.sendLater("same", "0");
    }
    broker.flush();
    meetInHandlers("unordered", CONCURRENCY);
  }

  @Test
  void unorderedHandlesEachRecordOnce() {
    broker.create(2);
    fill(40, 60);
    Set<String> seen = ConcurrentHashMap.newKeySet();

    subscribe(
        "unordered",
        (value, context) ->
            assertThat(seen.add(context.partition() + "@" + context.offset())).isTrue());

    broker.awaitLagZero();
    assertThat(seen).hasSize(40 * 60);
  }

  /** Passes only if as many handlers as told are inside at the same time. */
  private void meetInHandlers(String ordering, int handlers) {
    CyclicBarrier barrier = new CyclicBarrier(handlers);
    Set<Thread> met = ConcurrentHashMap.newKeySet();
    subscribe(
        ordering,
        (value, context) -> {
          barrier.await(SOON.toSeconds(), TimeUnit.SECONDS);
          met.add(Thread.currentThread());
        });
    await().atMost(SOON).until(() -> met.size() == handlers);
    broker.awaitLagZero();
  }

  private void fill(int keys, int perKey) {
    for (int sequence = 0; sequence < perKey; sequence++) {
      for (int key = 0; key < keys; key++) {
        broker.sendLater("key-" + key, Integer.toString(sequence));
      }
    }
    broker.flush();
  }

  private void subscribe(String ordering, RecordHandler<String> handler) {
    prepare(ordering).subscribe(handler);
  }

  private PreparedConsumer<String> prepare(String ordering) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                ordering:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 16
                  retry: { max-attempts: 1 }
                  ordering: %s
            """
                .formatted(ordering))
        .createConsumer("ordering", String.class);
  }

  /** Some take longer than the next: who would let the next pass is found out. */
  private static void unevenWork(String value) {
    if (Long.parseLong(value) % 5 == 0) {
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(300));
    }
  }
}
