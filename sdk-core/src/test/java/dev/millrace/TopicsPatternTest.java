package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Topics that are found by a pattern, now and later. */
@KafkaTest
class TopicsPatternTest {
  private final TestTopics topics;
  private final BrokerFixture broker;
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final RecordHandler<String> handler = (value, context) -> handled.add(value);

  TopicsPatternTest(KafkaCluster kafka, TestTopics topics) {
    this.topics = topics;
    this.broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void readsWhatMatchesNowAndWhatComesToBeLater(String protocol) {
    create("a", 2);
    topics.create("other", 1);
    send(name("a"), "now");
    send(topics.name("other"), "not asked for");
    MessageConsumer consumer = consume(protocol, "", handler);
    await().atMost(SOON).until(() -> handled.contains("now"));

    create("b", 1);
    send(name("b"), "later");

    await().atMost(SOON).until(() -> handled.contains("later"));
    assertThat(handled).containsExactlyInAnyOrder("now", "later");
    assertThat(consumer.assignment())
        .containsExactlyInAnyOrder(
            new TopicPartition(name("a"), 0),
            new TopicPartition(name("a"), 1),
            new TopicPartition(name("b"), 0));
  }

  /** The pattern matches their names, and the topics are there before the consumer starts. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void neverReadsWhatAnyGroupGaveUp(String protocol) {
    String own = "a." + broker.group();
    create("a", 1);
    for (String left :
        List.of(own + ".dlq", own + ".retry.1", "dead", "a.other.dlq", "a.other.retry.1")) {
      create(left, 1);
      send(name(left), "given up");
    }

    MessageConsumer consumer =
        consume(protocol, "dead-letter: { topic: \"" + name("dead") + "\" }", handler);

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(consumer.assignment())
                    .isEqualTo(Set.of(new TopicPartition(name("a"), 0))));
    send(name("a"), "last");
    await().atMost(SOON).until(() -> !handled.isEmpty());
    assertThat(handled).containsExactly("last");
  }

  /**
   * The topic is not known when the consumer starts, so its dead-letter topic can't be made then.
   */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aDeadLetterTopicIsMadeForATopicThatComesLater(String protocol) {
    create("a", 1);
    send(name("a"), "good");
    consume(
        protocol,
        "dead-letter: {}\nretry: { max-attempts: 1 }",
        (value, context) -> {
          handled.add(value);
          if (value.equals("bad")) {
            throw new IllegalStateException("out of stock");
          }
        });
    await().atMost(SOON).until(() -> handled.contains("good"));

    create("b", 3);
    send(name("b"), "bad");

    String deadLetters = name("b") + "." + broker.group() + ".dlq";
    await().atMost(SOON).until(() -> broker.kafka().topicNames().contains(deadLetters));
    assertThat(broker.read(deadLetters).awaitCount(1, SOON)).hasSize(1);
    assertThat(broker.read(deadLetters).offsets()).as("as many as the source has").hasSize(3);
    assertThat(handled).containsExactly("good", "bad");
  }

  /** Nor does it read those of levels that there are not. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void readsTheRetryTopicsOfWhatMatches(String protocol) {
    create("a", 1);
    String unused = "a." + broker.group() + ".retry.2";
    create(unused, 1);
    send(name(unused), "of another time");
    send(name("a"), "flaky");
    MessageConsumer consumer =
        consume(
            protocol,
            "retry: { max-attempts: 1, topics: [1ms] }",
            (value, context) -> {
              handled.add(value + "#" + context.attempt() + " of " + context.topic());
              if (context.attempt() == 1) {
                throw new IllegalStateException("out of stock");
              }
            });

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(handled)
                    .containsExactly("flaky#1 of " + name("a"), "flaky#2 of " + name("a")));
    assertThat(consumer.assignment())
        .containsExactlyInAnyOrder(
            new TopicPartition(name("a"), 0),
            new TopicPartition(name("a." + broker.group() + ".retry.1"), 0));
  }

  /** A pause or a seek may name what matches, and nothing else. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void commandsKnowWhatThePatternMatches(String protocol) {
    create("a", 1);
    MessageConsumer consumer = consume(protocol, "", handler);

    consumer.pause(List.of(new TopicPartition(name("new"), 0))).join();

    TopicPartition strange = new TopicPartition(topics.name("other"), 0);
    assertThatThrownBy(() -> consumer.pause(List.of(strange)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Consumer 'by-pattern' does not read [%s]; its topics are all that match '%s'."
                .formatted(strange, pattern()));
  }

  private String name(String last) {
    return broker.topic() + "." + last;
  }

  private void create(String last, int partitions) {
    broker.kafka().createTopic(name(last), partitions);
  }

  private String pattern() {
    return broker.topic() + "\\..*";
  }

  private MessageConsumer consume(String protocol, String more, RecordHandler<String> handler) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                by-pattern:
                  topics-pattern: '%s'
                  group-id: ${GROUP}
                  group-protocol: %s
                  properties: { metadata.max.age.ms: 300 }
            """
                    .formatted(pattern(), protocol)
                + more.indent(6))
        .createConsumer("by-pattern", String.class)
        .subscribe(handler);
  }

  private void send(String topic, String value) {
    broker.send(new ProducerRecord<>(topic, value.getBytes(UTF_8)));
  }
}
