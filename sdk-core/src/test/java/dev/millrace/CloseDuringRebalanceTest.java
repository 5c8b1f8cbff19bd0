package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A member of a classic group is closed while another one keeps the group from rebalancing. */
@KafkaTest
class CloseDuringRebalanceTest {
  private final BrokerFixture broker;
  private final CountDownLatch release = new CountDownLatch(1);
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final AtomicInteger hanging = new AtomicInteger();
  private final MeterRegistry registry = new SimpleMeterRegistry();

  CloseDuringRebalanceTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  /**
   * Between a member's request to join again and the group's answer the client takes no commit.
   * What it finishes meanwhile on the partitions it keeps must be committed nevertheless.
   */
  @Test
  void whatIsFinishedDuringTheRebalanceIsCommittedByTheClose() throws Exception {
    broker.create(6);
    MessageConsumer quick = join("quick", registry);
    await().atMost(SOON).until(() -> quick.assignment().size() == 6);
    MessageConsumer slow = join("slow", new SimpleMeterRegistry());
    await().atMost(SOON).until(() -> slow.assignment().size() == 3);
    send(slow.assignment(), "hangs");
    await().atMost(SOON).until(() -> hanging.get() == 3);

    join("third", new SimpleMeterRegistry());
    await().atMost(SOON).until(() -> BrokerFixture.isDraining("slow"));
    await().atMost(SOON).until(() -> quick.assignment().size() == 2);
    send(quick.assignment(), "handled meanwhile");
    await().atMost(SOON).until(() -> handled.size() == 2);
    Counter refused = registry.get("millrace.consumer.commit.failures").counter();
    await().atMost(SOON).until(() -> refused.count() > 0);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(quick::close);
    await().atMost(SOON).until(() -> BrokerFixture.threads("millrace-quick-worker").isEmpty());
    release.countDown();

    closed.get(SOON.toSeconds(), TimeUnit.SECONDS);
    broker.awaitLagZero();
    assertThat(handled).hasSize(5).doesNotHaveDuplicates();
  }

  private MessageConsumer join(String name, MeterRegistry registry) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                %s:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  drain-timeout: 30s
                  properties: { heartbeat.interval.ms: 100 }
            """
                .formatted(name),
            registry)
        .createConsumer(name, String.class)
        .subscribe(
            (value, context) -> {
              if (value.startsWith("hangs")) {
                hanging.incrementAndGet();
                hold(release);
              }
              handled.add(value);
            });
  }

  private void send(Set<TopicPartition> partitions, String value) {
    for (TopicPartition partition : partitions) {
      byte[] unique = (value + " " + partition.partition()).getBytes(UTF_8);
      broker.send(new ProducerRecord<>(partition.topic(), partition.partition(), null, unique));
    }
  }
}
