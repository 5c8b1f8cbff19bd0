package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What listeners hear when members come and go on a real broker. */
@KafkaTest
class PartitionEventsTest {
  private final BrokerFixture broker;
  private final Queue<String> events = new ConcurrentLinkedQueue<>();

  PartitionEventsTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void whatOneHasGivenUpTheOtherGetsAndBack(String protocol) {
    broker.create(2);
    MessageConsumer first = subscribe(protocol, "first");
    await().atMost(SOON).until(() -> first.assignment().size() == 2);
    MessageConsumer second = subscribe(protocol, "second");
    await().atMost(SOON).until(() -> events.size() == 3);
    String moved = List.copyOf(second.assignment()).get(0).toString();
    second.close();
    await().atMost(SOON).until(() -> events.size() == 5);
    first.close();

    assertThat(events.stream().skip(1).limit(4))
        .containsExactly(
            "first gives up [" + moved + "]",
            "second gets [" + moved + "]",
            "second gives up [" + moved + "]",
            "first gets [" + moved + "]");
    assertThat(events).hasSize(6);
  }

  private MessageConsumer subscribe(String protocol, String member) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                told:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  properties: { group.protocol: %s }
            """
                .formatted(protocol))
        .createConsumer("told", String.class)
        .listener(
            new ConsumerListener() {
              @Override
              public void assigned(Set<TopicPartition> partitions) {
                events.add(member + " gets " + partitions);
              }

              @Override
              public void revoked(Set<TopicPartition> partitions) {
                events.add(member + " gives up " + partitions);
              }
            })
        .subscribe((value, context) -> {});
  }
}
