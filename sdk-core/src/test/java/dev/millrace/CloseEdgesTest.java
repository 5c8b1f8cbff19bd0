package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ends that fall together with a failure, a rebalance or a start. */
@KafkaTest
class CloseEdgesTest {
  /** Far more than a close needs, less than the time-outs that it must not wait for. */
  private static final Duration IN_TIME = Duration.ofSeconds(40);

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          closing:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            close-timeout: 60s
            drain-timeout: 200ms
            retry: { max-attempts: 2, backoff: { initial: 10m, max: 10m } }
            properties: { heartbeat.interval.ms: 200 }
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<String> started = new ConcurrentLinkedQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);
  private final List<CountDownLatch> releases =
      List.of(new CountDownLatch(1), new CountDownLatch(1));

  CloseEdgesTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    releases.forEach(CountDownLatch::countDown);
    broker.close();
  }

  /** Its next attempt is ten minutes away, and nobody waits for that. */
  @Test
  void closeDoesNotWaitForTheBackoffOfAHandlerThatFailedMeanwhile() throws Exception {
    broker.create(1);
    broker.send("a", "fails");
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  hold(release);
                  throw new IllegalStateException();
                });
    await().atMost(SOON).until(() -> started.size() == 1);

    CompletableFuture<Void> closed = CompletableFuture.runAsync(consumer::close);
    await().atMost(SOON).until(() -> BrokerFixture.isDraining("closing"));
    release.countDown();

    closed.get(IN_TIME.toSeconds(), TimeUnit.SECONDS);
    BrokerFixture.awaitNoThread("millrace-closing");
    assertThat(broker.committed(0)).isLessThanOrEqualTo(0);
  }

  /** Its partition has a new owner, so nobody waits for it; but it must not be forgotten. */
  @Test
  void closeInterruptsAHandlerWhosePartitionWasGivenUp() throws Exception {
    broker.create(2);
    broker.send(new ProducerRecord<>(broker.topic(), 0, null, "p0".getBytes(UTF_8)));
    broker.send(new ProducerRecord<>(broker.topic(), 1, null, "p1".getBytes(UTF_8)));
    Queue<Integer> interrupted = new ConcurrentLinkedQueue<>();
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  try {
                    releases.get(context.partition()).await();
                  } catch (InterruptedException e) {
                    interrupted.add(context.partition());
                  }
                });
    await().atMost(SOON).until(() -> started.size() == 2);
    MessageConsumer other =
        broker
            .factory(CONFIG)
            .createConsumer("closing", String.class)
            .subscribe((value, context) -> {});
    await().atMost(SOON).until(() -> other.assignment().size() == 1);
    int kept = consumer.assignment().iterator().next().partition();
    int givenUp = 1 - kept;
    releases.get(kept).countDown();
    await().atMost(SOON).until(() -> inFlight() == 1);

    CompletableFuture.runAsync(() -> consumer.close(Duration.ofSeconds(2)))
        .get(IN_TIME.toSeconds(), TimeUnit.SECONDS);

    await().atMost(IN_TIME).untilAsserted(() -> assertThat(interrupted).containsExactly(givenUp));
  }

  @Test
  void aFactoryThatClosesWhileAConsumerStartsLeavesNothingOfIt() {
    broker.create(1);
    KafkaFactory factory = broker.factory(CONFIG, registry);
    // The consumer's first meter is made in the midst of its start.
    registry.config().onMeterAdded(meter -> factory.close());

    assertThatThrownBy(
            () -> factory.createConsumer("closing", String.class).subscribe((value, context) -> {}))
        .isInstanceOf(IllegalStateException.class);

    assertThat(BrokerFixture.threads("millrace-closing")).isEmpty();
    assertThat(registry.getMeters()).isEmpty();
  }

  private double inFlight() {
    return registry.get("millrace.consumer.in.flight").gauge().value();
  }
}
