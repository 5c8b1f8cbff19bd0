package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one key costs whose handler never returns: its own records, some room, and nothing else. */
@KafkaTest
class StuckKeyTest {
  private static final int KEYS = 200;
  private static final int RECORDS_OF_KEY = 60;
  private static final int CAPACITY = 400;
  private static final int MOST_POLLED = 40;
  private static final int CHANNEL_BYTES = 4 * 1024;

  /** Of {@code <key>:<number>}, and the value's is larger than the key's. */
  private static final int MOST_BYTES = 2 * "key-199:59".length();

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final CountDownLatch release = new CountDownLatch(1);
  private final AtomicInteger ofTheStuckKey = new AtomicInteger();
  private final AtomicInteger ofOtherKeys = new AtomicInteger();
  private final AtomicInteger mostRecords = new AtomicInteger();
  private final AtomicLong mostBytes = new AtomicLong();

  StuckKeyTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @Test
  void allOtherKeysEndInBoundedMemoryAndTheRecordIsNamed() {
    broker.create(4);
    fill();
    long began = System.nanoTime();
    MessageConsumer consumer = start();

    await().atMost(SOON).until(() -> ofOtherKeys.get() == (KEYS - 1) * RECORDS_OF_KEY);
    // A record is done a moment before it leaves the channel.
    await().atMost(SOON).until(() -> inFlight() == RECORDS_OF_KEY);

    assertThat(ofTheStuckKey).hasValue(0);
    assertThat(mostRecords.get()).isGreaterThan(RECORDS_OF_KEY).isLessThanOrEqualTo(CAPACITY);
    assertThat(mostBytes.get()).isLessThanOrEqualTo(CHANNEL_BYTES + MOST_POLLED * MOST_BYTES);
    ConsumerExplanation explanation = consumer.explain();
    Duration age = Duration.ofNanos(System.nanoTime() - began);
    Partition stuck =
        explanation.partitions().stream()
            .filter(partition -> partition.oldest().isPresent())
            .reduce((one, two) -> null)
            .orElseThrow();
    assertThat(explanation.partitions()).hasSize(4);
    assertThat(stuck.counts().running()).isEqualTo(1);
    assertThat(stuck.counts().queued()).isEqualTo(RECORDS_OF_KEY - 1);
    Unfinished oldest = stuck.oldest().orElseThrow();
    assertThat(oldest.key()).hasValue("\"key-0\"");
    assertThat(oldest.attempt()).isEqualTo(1);
    assertThat(stuck.frontier()).hasValue(oldest.offset());
    assertThat(oldest.activity())
        .isInstanceOfSatisfying(
            Running.class,
            running -> {
              assertThat(running.lasting()).isPositive().isLessThan(age);
              assertThat(running.in()).startsWith("StuckKeyTest.askTheSlowService(");
            });
    assertThat(explanation.toString())
        .contains(stuck.partition() + "@" + oldest.offset())
        .contains("StuckKeyTest.askTheSlowService(StuckKeyTest.java:");

    release.countDown();
    broker.awaitLagZero();
    assertThat(ofTheStuckKey).hasValue(RECORDS_OF_KEY);
    assertThat(ofOtherKeys).hasValue((KEYS - 1) * RECORDS_OF_KEY);
  }

  private void fill() {
    for (int number = 0; number < RECORDS_OF_KEY; number++) {
      for (int key = 0; key < KEYS; key++) {
        broker.sendLater("key-" + key, "key-" + key + ":" + number);
      }
    }
    broker.flush();
  }

  private MessageConsumer start() {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                stuck-key:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 8
                  channel-capacity: %d
                  channel-bytes: %d
                  properties: { max.poll.records: %d }
            """
                .formatted(CAPACITY, CHANNEL_BYTES, MOST_POLLED),
            registry)
        .createConsumer("stuck-key", String.class)
        .subscribe(
            (value, context) -> {
              mostRecords.accumulateAndGet(inFlight(), Math::max);
              mostBytes.accumulateAndGet(
                  (long) gauge("millrace.consumer.in.flight.bytes"), Math::max);
              if (value.startsWith("key-0:")) {
                askTheSlowService();
                ofTheStuckKey.incrementAndGet();
              } else {
                ofOtherKeys.incrementAndGet();
              }
            });
  }

  private void askTheSlowService() throws InterruptedException {
    assertThat(release.await(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private int inFlight() {
    return (int) gauge("millrace.consumer.in.flight");
  }

  private double gauge(String name) {
    return registry.get(name).gauge().value();
  }
}
