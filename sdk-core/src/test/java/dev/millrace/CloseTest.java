package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The end of consumers and factories: what is finished, what is left, and that nothing remains. */
@KafkaTest
class CloseTest {
  /** Far more than a close needs, less than the time-outs that it must not wait for. */
  private static final Duration IN_TIME = Duration.ofSeconds(40);

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        producers:
          closing-producer: { topics: ["${TOPIC}"] }
        consumers:
          closing:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            concurrency: 2
            close-timeout: 60s
          closing-dead-letters:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}
            retry: { max-attempts: 2, backoff: { initial: 1ms } }
            dead-letter: {}
      """;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<String> started = new ConcurrentLinkedQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);

  CloseTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @Test
  void closeWaitsForRunningHandlersCommitsThemAndStartsNoOther() throws Exception {
    broker.create(1);
    fill(10);
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  hold(release);
                });
    await().atMost(SOON).until(() -> started.size() == 2 && inFlight() == 10);

    CompletableFuture<Void> closed = CompletableFuture.runAsync(consumer::close);
    await().atMost(SOON).until(() -> BrokerFixture.isDraining("closing"));
    assertThat(consumer.state()).isEqualTo(ConsumerState.STOPPING);
    assertThat(closed).isNotDone();
    release.countDown();
    closed.get(IN_TIME.toSeconds(), TimeUnit.SECONDS);

    assertThat(consumer.state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(consumer.assignment()).isEmpty();
    assertThat(started).containsExactlyInAnyOrder("0", "1");
    assertThat(broker.committed(0)).isEqualTo(2);
    assertNothingIsLeft("closing");
    consumer.close();
    consumer.close(Duration.ZERO);
    consumer.awaitClosed();
  }

  @Test
  void closeReturnsInTimeAndInterruptsAStuckHandler() throws Exception {
    broker.create(1);
    broker.send("a", "quick");
    broker.send("b", "stuck");
    CountDownLatch interrupted = new CountDownLatch(1);
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  if (value.equals("stuck")) {
                    try {
                      release.await();
                    } catch (InterruptedException e) {
                      interrupted.countDown();
                      throw e;
                    }
                  }
                });
    await().atMost(SOON).until(() -> started.size() == 2);
    // The close alone may have too little time for a commit.
    await().atMost(SOON).until(() -> inFlight() == 1 && broker.committed(0) == 1);

    closeInTime(consumer, Duration.ofSeconds(1));

    assertThat(interrupted.await(IN_TIME.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(broker.committed(0)).isEqualTo(1);
    assertNothingIsLeft("closing");
  }

  @Test
  void closeReturnsInTimeThoughAHandlerIgnoresTheInterrupt() throws Exception {
    broker.create(1);
    broker.send("a", "deaf");
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  holdUninterrupted(release);
                });
    await().atMost(SOON).until(() -> started.size() == 1);

    closeInTime(consumer, Duration.ofSeconds(1));

    // It returns when its time is up, and what it could not wait for ends soon after.
    await().atMost(SOON).until(() -> consumer.state() == ConsumerState.CLOSED);
    await()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(BrokerFixture.threads("millrace-closing-")).hasSize(1));
    release.countDown();
    assertNothingIsLeft("closing");
    assertThat(broker.committed(0)).isLessThanOrEqualTo(0);
  }

  /** The interrupt ends the wait, not the close. */
  @Test
  void anInterruptedThreadThatClosesKeepsItsFlagAndTheConsumerEndsByItself() throws Exception {
    broker.create(1);
    broker.send("a", "runs");
    KafkaFactory factory = broker.factory(CONFIG, registry);
    MessageConsumer consumer =
        factory
            .createConsumer("closing", String.class)
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  hold(release);
                });
    await().atMost(SOON).until(() -> started.size() == 1);

    assertThat(flagAfterInterruptedBefore(consumer::close)).isTrue();
    assertThat(consumer.state()).isEqualTo(ConsumerState.STOPPING);
    assertThat(flagAfterInterruptedBefore(factory::close)).isTrue();
    assertThat(consumer.state()).isEqualTo(ConsumerState.STOPPING);

    release.countDown();
    await().atMost(SOON).until(() -> consumer.state() == ConsumerState.CLOSED);
    assertThat(broker.committed(0)).isEqualTo(1);
    assertNothingIsLeft("closing");
  }

  @Test
  void theFactoryClosesItsConsumersAndProducersAndTakesNoMore() {
    broker.create(1);
    broker.send("a", "dead");
    KafkaFactory factory = broker.factory(CONFIG, registry);
    MessageProducer<String> producer = factory.createProducer("closing-producer", String.class);
    PreparedConsumer<String> prepared = factory.createConsumer("closing", String.class);
    MessageConsumer consumer =
        factory
            .createConsumer("closing-dead-letters", String.class)
            .subscribe(
                (value, context) -> {
                  throw new IllegalStateException();
                });
    producer.send("a", "more").join();
    broker.awaitLagZero();
    assertThat(BrokerFixture.threads("kafka-producer-network-thread | closing-")).hasSize(2);

    factory.close();
    factory.close();

    assertThat(consumer.state()).isEqualTo(ConsumerState.CLOSED);
    assertNothingIsLeft("closing-dead-letters");
    assertThat(BrokerFixture.threads("kafka-producer-network-thread | closing-")).isEmpty();
    assertThat(registry.getMeters()).isEmpty();
    assertThatThrownBy(() -> prepared.subscribe((value, context) -> {}))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(
            () -> factory.createConsumer("closing", String.class).subscribe((value, context) -> {}))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> producer.send("a", "late")).isInstanceOf(IllegalStateException.class);
    assertThat(BrokerFixture.threads("millrace-closing")).isEmpty();
  }

  private void assertNothingIsLeft(String consumer) {
    BrokerFixture.awaitNoThread(
        "millrace-" + consumer, "kafka-coordinator-heartbeat-thread | " + broker.group());
    assertThat(registry.getMeters())
        .extracting(meter -> meter.getId().getTag("consumer"))
        .doesNotContain(consumer);
  }

  private static boolean flagAfterInterruptedBefore(Runnable close) throws Exception {
    return CompletableFuture.supplyAsync(
            () -> {
              Thread.currentThread().interrupt();
              close.run();
              return Thread.interrupted();
            })
        .get(IN_TIME.toSeconds(), TimeUnit.SECONDS);
  }

  private static void closeInTime(MessageConsumer consumer, Duration timeout) throws Exception {
    CompletableFuture.runAsync(() -> consumer.close(timeout))
        .get(IN_TIME.toSeconds(), TimeUnit.SECONDS);
  }

  private void fill(int records) {
    for (int i = 0; i < records; i++) {
      broker.send("key-" + i, Integer.toString(i));
    }
  }

  private double inFlight() {
    return registry.get("millrace.consumer.in.flight").gauge().value();
  }

  private static void holdUninterrupted(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      try {
        hold(latch);
      } catch (InterruptedException e) {
        // As a handler does that swallows it.
      }
    }
  }
}
