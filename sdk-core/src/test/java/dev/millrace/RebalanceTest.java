package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Consumers of one group come and go while records flow. */
@KafkaTest
class RebalanceTest {
  private static final int PARTITIONS = 4;
  private static final int KEYS = 200;
  private static final int PER_KEY = 200;
  private static final int CHANNEL_CAPACITY = 500;

  /** When fewer are left, handlers are slow: they last for as long as a change may take. */
  private static final int SCARCE = 2_000;

  private static final String CLASSIC = "{ session.timeout.ms: 20000, heartbeat.interval.ms: 200 }";
  private static final String CONSUMER = "{ group.protocol: consumer }";

  private final BrokerFixture broker;
  private final OrderWatch order = new OrderWatch();
  private final CountDownLatch release = new CountDownLatch(1);
  private int sent;
  private volatile long toHandle;
  private int changes;

  RebalanceTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void nothingIsLostAndEachKeyStaysInOrder(String properties) {
    broker.create(PARTITIONS);
    send(PER_KEY / 2);
    MessageConsumer first = join(properties);
    underLoad();
    MessageConsumer second = join(properties);
    underLoad();
    MessageConsumer third = join(properties);
    underLoad();
    leave(first);
    underLoad();
    MessageConsumer fourth = join(properties);
    underLoad();
    leave(second);
    send(PER_KEY - sent);
    toHandle = Long.MAX_VALUE;

    broker.awaitLagZero();
    order.assertAllHandled(KEYS, PER_KEY);
    await().atMost(SOON).until(() -> third.assignment().size() == PARTITIONS / 2);
    await().atMost(SOON).until(() -> fourth.assignment().size() == PARTITIONS / 2);
    // Each change may repeat what was in flight where partitions left, and no more.
    assertThat(order.repeated()).isLessThanOrEqualTo((long) changes * CHANNEL_CAPACITY);
  }

  /** What runs when a partition leaves is finished and committed first, so nobody repeats it. */
  @ParameterizedTest
  @ValueSource(strings = {CLASSIC, CONSUMER})
  void aPartitionLeavesWhenItsHandlersHaveEnded(String properties) {
    broker.create(2);
    broker.send(new ProducerRecord<>(broker.topic(), 0, null, "p0".getBytes(UTF_8)));
    broker.send(new ProducerRecord<>(broker.topic(), 1, null, "p1".getBytes(UTF_8)));
    Queue<String> started = new ConcurrentLinkedQueue<>();
    MessageConsumer first =
        subscribe(
            properties,
            (value, context) -> {
              started.add(value);
              hold(release);
            });
    await().atMost(SOON).until(() -> started.size() == 2);

    MessageConsumer second = subscribe(properties, (value, context) -> started.add(value));
    await().atMost(SOON).until(() -> BrokerFixture.isDraining("rebalance"));
    assertThat(second.assignment()).isEmpty();
    release.countDown();

    await().atMost(SOON).until(() -> second.assignment().size() == 1);
    broker.awaitLagZero();
    broker.send(new ProducerRecord<>(broker.topic(), 0, null, "more".getBytes(UTF_8)));
    broker.send(new ProducerRecord<>(broker.topic(), 1, null, "more".getBytes(UTF_8)));
    broker.awaitLagZero();
    assertThat(first.assignment()).hasSize(1);
    assertThat(started).containsExactlyInAnyOrder("p0", "p1", "more", "more");
  }

  /** Sends more, and waits until a part of it is handled: what follows finds the rest in flow. */
  private void underLoad() {
    long before = order.handled();
    send(PER_KEY / 16);
    await().atMost(SOON).until(() -> order.handled() >= before + 500);
  }

  private MessageConsumer join(String properties) {
    MessageConsumer consumer =
        subscribe(
            properties,
            (value, context) -> order.handle(context.key(), Long.parseLong(value), this::work));
    await().atMost(SOON).until(() -> !consumer.assignment().isEmpty());
    changed();
    return consumer;
  }

  private MessageConsumer subscribe(String properties, RecordHandler<String> handler) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                rebalance:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 8
                  channel-capacity: %d
                  drain-timeout: 20s
                  retry: { max-attempts: 1 }
                  properties: %s
            """
                .formatted(CHANNEL_CAPACITY, properties))
        .createConsumer("rebalance", String.class)
        .subscribe(handler);
  }

  private void leave(MessageConsumer consumer) {
    consumer.close(Duration.ofSeconds(20));
    changed();
  }

  /** A change that came too late to meet records proves nothing. */
  private void changed() {
    changes++;
    assertThat(order.handled())
        .as("handled when membership had changed")
        .isLessThan((long) KEYS * sent);
  }

  private void send(int perKey) {
    for (int i = 0; i < perKey; i++, sent++) {
      for (int key = 0; key < KEYS; key++) {
        broker.sendLater("key-" + key, Integer.toString(sent));
      }
    }
    broker.flush();
    toHandle = (long) KEYS * sent;
  }

  private void work() {
    boolean scarce = toHandle - order.handled() < SCARCE;
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(scarce ? 500 : 2));
  }
}
