package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Slow and stuck handlers: the channel stays bounded, and the group notices nothing. */
@KafkaTest
class FlowTest {
  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final CountDownLatch release = new CountDownLatch(1);

  FlowTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @Test
  void recordsInFlightNeverExceedTheCapacity() {
    int capacity = 12;
    int records = 1_200;
    broker.create(2);
    fill(records);
    AtomicInteger most = new AtomicInteger();
    AtomicInteger handled = new AtomicInteger();
    broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                flow-capacity:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 4
                  channel-capacity: 12
            """,
            registry)
        .createConsumer("flow-capacity", String.class)
        .subscribe(
            (value, context) -> {
              most.accumulateAndGet(inFlight(), Math::max);
              // Slower than the poll thread brings more.
              LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(500));
              most.accumulateAndGet(inFlight(), Math::max);
              handled.incrementAndGet();
            });

    broker.awaitLagZero();
    assertThat(handled).hasValue(records);
    assertThat(most.get()).isGreaterThan(4).isLessThanOrEqualTo(capacity);
    // A record is done, and may be committed, a moment before it leaves the channel.
    await().atMost(SOON).until(() -> inFlight() == 0);
  }

  /** A key of its own is stuck for two poll intervals, and nobody else is any the worse for it. */
  @Test
  void aHandlerStuckForLongerThanThePollIntervalCostsNoRebalance() {
    Duration stuckFor = Duration.ofSeconds(10);
    int records = 600;
    broker.create(2);
    broker.send("stuck", "stuck");
    CountDownLatch stuck = new CountDownLatch(1);
    AtomicInteger handled = new AtomicInteger();
    // Room for fewer records than there are, so that intake is held back again and again.
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    flow-stuck:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      concurrency: 4
                      channel-capacity: 40
                      drain-timeout: 500ms
                      properties:
                        max.poll.interval.ms: 5000
                        session.timeout.ms: 20000
                        heartbeat.interval.ms: 500
                """,
                registry)
            .createConsumer("flow-stuck", String.class)
            .subscribe(
                (value, context) -> {
                  if (value.equals("stuck")) {
                    stuck.countDown();
                    hold(release);
                  }
                  handled.incrementAndGet();
                });
    await().atMost(SOON).until(() -> stuck.getCount() == 0);
    await().atMost(SOON).until(() -> consumer.assignment().size() == 2);
    double rebalances = rebalances();
    fill(records);

    await().atMost(SOON).until(() -> handled.get() == records);
    await()
        .during(stuckFor)
        .atMost(stuckFor.plus(SOON))
        .until(() -> consumer.assignment().size() == 2 && release.getCount() == 1);
    assertThat(rebalances()).isEqualTo(rebalances).isPositive();
    broker.send("other", "late");
    await().atMost(SOON).until(() -> handled.get() == records + 1);
    assertThat(broker.progress().lag().values()).as("held back").anyMatch(lag -> lag > 0);

    release.countDown();
    broker.awaitLagZero();
    assertThat(handled).hasValue(records + 2);
    assertThat(rebalances()).isEqualTo(rebalances);
    assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
  }

  /** All permits taken: nothing moves, polling goes on all the same. */
  @Test
  void aFullChannelCostsNoRebalanceEither() {
    broker.create(2);
    fill(200);
    AtomicInteger handled = new AtomicInteger();
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    flow-full:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      concurrency: 2
                      channel-capacity: 8
                      drain-timeout: 200ms
                      properties:
                        max.poll.interval.ms: 5000
                        session.timeout.ms: 20000
                        heartbeat.interval.ms: 500
                """,
                registry)
            .createConsumer("flow-full", String.class)
            .subscribe(
                (value, context) -> {
                  hold(release);
                  handled.incrementAndGet();
                });
    await().atMost(SOON).until(() -> inFlight() > 6);
    double rebalances = rebalances();

    await()
        .during(Duration.ofSeconds(8))
        .atMost(SOON)
        .until(() -> consumer.assignment().size() == 2 && inFlight() <= 8);
    release.countDown();
    broker.awaitLagZero();

    assertThat(rebalances()).isEqualTo(rebalances).isPositive();
    assertThat(handled).hasValue(200);
  }

  private void fill(int records) {
    for (int i = 0; i < records; i++) {
      broker.sendLater("key-" + i % 50, Integer.toString(i));
    }
    broker.flush();
  }

  private int inFlight() {
    return (int) registry.get("millrace.consumer.in.flight").gauge().value();
  }

  private double rebalances() {
    return registry.get("kafka.consumer.coordinator.rebalance.total").functionCounter().count();
  }
}
