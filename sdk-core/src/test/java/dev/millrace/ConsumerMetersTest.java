package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the meters say, exactly, and that none outlives what it measures. */
@KafkaTest
class ConsumerMetersTest {
  private static final int GOOD = 9;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final CountDownLatch release = new CountDownLatch(1);

  ConsumerMetersTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @Test
  void recordsAreCountedByOutcomeAndAllMetersLeaveWithTheirOwner() {
    broker.create(1);
    for (int i = 0; i < GOOD; i++) {
      broker.send("good-" + i, "good");
    }
    broker.send("b", "bad once");
    broker.send("c", "bad");
    KafkaFactory factory =
        broker.factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              producers:
                meters-producer: { topics: ["${TOPIC}"] }
              consumers:
                meters:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 4
                  retry: { max-attempts: 3, backoff: { initial: 1ms } }
                  dead-letter: {}
            """,
            registry);
    factory.createProducer("meters-producer").send("d", "good").join();
    MessageConsumer consumer =
        factory
            .createConsumer("meters", String.class)
            .subscribe(
                (value, context) -> {
                  hold(release);
                  if (value.equals("bad") || (value.equals("bad once") && context.attempt() == 1)) {
                    throw new IllegalStateException();
                  }
                });

    int all = GOOD + 3;
    await()
        .atMost(SOON)
        .until(
            () ->
                gauge("millrace.consumer.lag") == all
                    && gauge("millrace.consumer.in.flight") == all);
    assertThat(gauge("millrace.consumer.in.flight.bytes")).isPositive();
    assertThat(handlerCalls("success") + handlerCalls("failure")).isZero();

    release.countDown();
    broker.awaitLagZero();
    await().atMost(SOON).until(() -> gauge("millrace.consumer.lag") == 0);
    // A record is done, and may be committed, a moment before it is counted and leaves the channel.
    await()
        .atMost(SOON)
        .until(
            () ->
                outcome("handled") + outcome("dead-lettered") == all
                    && gauge("millrace.consumer.in.flight") == 0);
    assertThat(outcome("handled")).isEqualTo(GOOD + 2);
    assertThat(outcome("retried")).isEqualTo(3);
    assertThat(outcome("dead-lettered")).isEqualTo(1);
    assertThat(outcome("stopped")).isZero();
    assertThat(handlerCalls("success")).isEqualTo(GOOD + 2);
    assertThat(handlerCalls("failure")).isEqualTo(4);
    assertThat(registry.get("millrace.consumer.queue.wait").timer().count()).isEqualTo(all);
    assertThat(gauge("millrace.consumer.in.flight")).isZero();
    assertThat(gauge("millrace.consumer.in.flight.bytes")).isZero();
    assertThat(registry.get("millrace.consumer.dead.letter.failures").counter().count()).isZero();
    assertThat(registry.get("millrace.consumer.commit.failures").counter().count()).isZero();
    assertThat(names()).anyMatch(name -> name.startsWith("kafka.consumer"));

    consumer.close();
    assertThat(names())
        .anyMatch(name -> name.startsWith("kafka.producer"))
        .noneMatch(
            name -> name.startsWith("kafka.consumer") || name.startsWith("millrace.consumer"));
    assertThat(registry.getMeters()).noneMatch(meter -> "meters".equals(tag(meter, "consumer")));

    factory.close();
    assertThat(names()).isEmpty();
  }

  private double gauge(String name) {
    return registry.find(name).gauges().stream().mapToDouble(gauge -> gauge.value()).sum();
  }

  private double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }

  private long handlerCalls(String result) {
    return registry.get("millrace.consumer.handler").tag("result", result).timer().count();
  }

  private List<String> names() {
    return registry.getMeters().stream().map(meter -> meter.getId().getName()).toList();
  }

  private static String tag(Meter meter, String name) {
    return meter.getId().getTag(name);
  }
}
