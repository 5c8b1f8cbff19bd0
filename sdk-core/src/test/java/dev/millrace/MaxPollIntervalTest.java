package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A record, or its back-off, may take longer than Kafka lets a consumer be away from its polls. */
@KafkaTest
class MaxPollIntervalTest {
  /** Two and a half times {@code max.poll.interval.ms}. */
  private static final long HANDLER_SECONDS = 15;

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers:
            drain-timeout: 1s
            retry: { backoff: { initial: 15s, max: 15s, jitter: 0 } }
            properties: { max.poll.interval.ms: 6000 }
        consumers:
          long-classic: { topics: ["${TOPIC}"], group-id: "${GROUP}-classic" }
          long-consumer:
            topics: ["${TOPIC}"]
            group-id: ${GROUP}-consumer
            properties: { group.protocol: consumer }
      """;

  private final BrokerFixture broker;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  MaxPollIntervalTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    ended.countDown();
    broker.close();
  }

  @Test
  void aHandlerLongerThanMaxPollIntervalCostsNoRebalanceUnderEitherProtocol() throws Exception {
    broker.create(1);
    KafkaFactory factory = broker.factory(CONFIG);
    for (String protocol : List.of("classic", "consumer")) {
      factory
          .createConsumer("long-" + protocol, String.class)
          .subscribe(
              (value, context) -> {
                handled.add("starts " + protocol);
                ended.await(HANDLER_SECONDS, TimeUnit.SECONDS);
                handled.add("ends " + protocol);
              });
    }
    broker.send("a", "long");
    await().atMost(SOON).until(() -> handled.size() == 2);
    List<String> before = members();

    await().atMost(SOON).until(() -> handled.size() >= 4);

    assertThat(members()).isEqualTo(before);
    factory.close();
    assertThat(handled)
        .containsExactlyInAnyOrder(
            "starts classic", "ends classic", "starts consumer", "ends consumer");
  }

  /** The back-off takes two and a half times {@code max.poll.interval.ms}, too. */
  @Test
  void aBackoffLongerThanMaxPollIntervalCostsNoRebalanceUnderEitherProtocol() throws Exception {
    broker.create(1);
    KafkaFactory factory = broker.factory(CONFIG);
    for (String protocol : List.of("classic", "consumer")) {
      factory
          .createConsumer("long-" + protocol, String.class)
          .subscribe(
              (value, context) -> {
                handled.add(protocol + "#" + context.attempt());
                if (context.attempt() == 1) {
                  throw new IllegalStateException("not yet");
                }
              });
    }
    broker.send("a", "long");
    await().atMost(SOON).until(() -> handled.size() == 2);
    List<String> before = members();

    await().atMost(SOON).until(() -> handled.size() >= 4);

    assertThat(members()).isEqualTo(before);
    factory.close();
    assertThat(handled)
        .containsExactlyInAnyOrder("classic#1", "classic#2", "consumer#1", "consumer#2");
  }

  /** Who is in the groups: one who was away and comes back has another name or a later epoch. */
  private List<String> members() throws Exception {
    List<String> groups = List.of(broker.group() + "-classic", broker.group() + "-consumer");
    return broker.kafka().admin().describeConsumerGroups(groups).all().get().values().stream()
        .flatMap(group -> group.members().stream())
        .map(member -> member.consumerId() + " " + member.memberEpoch())
        .sorted()
        .toList();
  }
}
