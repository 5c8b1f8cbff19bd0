package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a group has given up: looked at, deleted, and told apart from that of others. */
@KafkaTest
class DeadLetterListTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers: { retry: { max-attempts: 1 } }
        consumers:
          failing: { topics: ["${TOPIC}"], group-id: "${GROUP}", dead-letter: {} }
          other: { topics: ["${TOPIC}"], group-id: "${GROUP}-other" }
      """;

  private final BrokerFixture broker;
  private final DeadLetterFixture dead;
  private final TestTopics topics;

  DeadLetterListTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.dead = new DeadLetterFixture(broker);
    this.topics = topics;
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void filtersAndShows() {
    dead.create(2);
    Instant before = Instant.now().minusSeconds(5);
    dead.send("a", "v0", "java.lang.Error", 0);
    dead.send("b", "v1", "java.io.IOException", 1);
    broker.send(new ProducerRecord<>(broker.deadLetterTopic(), 0, null, "none".getBytes(UTF_8)));
    DeadLetters letters = broker.factory(CONFIG).deadLetters("failing");
    DeadLetterFilter all = DeadLetterFilter.all();

    assertThat(values(letters, all)).containsExactlyInAnyOrder("v0", "v1");
    assertThat(values(letters, all.since(before))).hasSize(2);
    assertThat(values(letters, all.before(before))).isEmpty();
    assertThat(values(letters, all.key("a"))).containsExactly("v0");
    assertThat(values(letters, all.cause("java.io.IOException"))).containsExactly("v1");
    assertThat(values(letters, all.cause("Exception"))).isEmpty();
    assertThat(values(letters, all.origin("elsewhere"))).isEmpty();
    assertThat(values(letters, all.origin(broker.partition(1)))).containsExactly("v1");
    assertThat(values(letters, all.origin(broker.partition(1), 8, 100))).isEmpty();
    assertThat(values(letters, all.origin(broker.partition(1), 7, 8))).containsExactly("v1");
    assertThat(values(letters, all.and(letter -> letter.attempts() > 4))).isEmpty();

    DeadLetter listed = letters.list(all.key("a"), 10).get(0);
    DeadLetter shown = letters.show(listed.partition(), listed.offset()).orElseThrow();
    assertThat(shown.value()).isEqualTo("v0".getBytes(UTF_8));
    assertThat(shown.origin().offset()).isEqualTo(7);
    assertThat(shown.origin().partition()).isEqualTo(broker.partition(0));
    assertThat(shown.toString()).contains("java.lang.Error", "out of stock").doesNotContain("v0");
    assertThat(letters.show(listed.partition(), 1_000)).isEmpty();
    assertThatThrownBy(() -> letters.show(broker.partition(0), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no dead letters in " + broker.partition(0));
  }

  /** A topic that several groups have their dead letters in. */
  @Test
  void leavesTheDeadLettersOfOtherGroupsAndTopicsAlone() throws Exception {
    String shared = topics.create("shared", 1);
    broker.create(1);
    broker.send(dead.of(shared, "a", "theirs", "java.lang.Error", 0, "strangers"));
    broker.send(dead.of(shared, "a", "ours", "java.lang.Error", 0, broker.group()));
    ProducerRecord<byte[], byte[]> foreign =
        dead.of(shared, "a", "foreign", "java.lang.Error", 0, broker.group());
    foreign.headers().add(DeadLetterHeaders.ORIGIN_TOPIC, "payroll".getBytes(UTF_8));
    broker.send(foreign);
    DeadLetters letters =
        broker
            .factory(CONFIG.replace("dead-letter: {}", "dead-letter: { topic: " + shared + " }"))
            .deadLetters("failing");

    assertThat(letters.redrive(Redrive.of(DeadLetterFilter.all())))
        .isEqualTo(new RedriveReport(false, 1, 0, 1, 0, 0, 0, Map.of("java.lang.Error", 1L)));

    assertThat(broker.read(broker.topic()).readAll().stream().map(DeadLetterListTest::value))
        .containsExactly("ours");
    assertThatThrownBy(() -> letters.deleteBefore(new TopicPartition(shared, 0), 2))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("strangers");
    assertThat(broker.read(shared).readAll()).hasSize(3);
  }

  /** What can't come back keeps nothing back that can. */
  @Test
  void leavesTheDeadLettersOfATopicThatIsGone() throws Exception {
    String shared = topics.create("shared", 1);
    broker.create(1);
    ProducerRecord<byte[], byte[]> lost =
        dead.of(shared, "a", "lost", "java.lang.Error", 0, broker.group());
    lost.headers().add(DeadLetterHeaders.ORIGIN_TOPIC, (broker.topic() + "-gone").getBytes(UTF_8));
    broker.send(lost);
    broker.send(dead.of(shared, "a", "ours", "java.lang.Error", 0, broker.group()));
    DeadLetters letters =
        broker
            .factory(
                CONFIG.replace(
                    "[\"${TOPIC}\"], group-id: \"${GROUP}\", dead-letter: {}",
                    "[\"${TOPIC}\", \"${TOPIC}-gone\"], group-id: \"${GROUP}\", dead-letter: { topic: "
                        + shared
                        + " }"))
            .deadLetters("failing");
    Redrive all = Redrive.of(DeadLetterFilter.all());
    Map<String, Long> one = Map.of("java.lang.Error", 1L);

    assertThat(letters.dryRun(all)).isEqualTo(new RedriveReport(true, 1, 0, 1, 0, 0, 0, one));
    assertThat(letters.redrive(all)).isEqualTo(new RedriveReport(false, 1, 0, 1, 0, 0, 0, one));

    assertThat(broker.read(broker.topic()).readAll().stream().map(DeadLetterListTest::value))
        .containsExactly("ours");
  }

  @Test
  void deletesTheBeginningForGood() throws Exception {
    dead.create(1);
    for (int i = 0; i < 5; i++) {
      dead.send("a", "v" + i, "java.lang.Error", 0);
    }
    DeadLetters letters = broker.factory(CONFIG).deadLetters("failing");
    TopicPartition partition = new TopicPartition(broker.deadLetterTopic(), 0);
    letters.redrive(Redrive.of(DeadLetterFilter.all().at(partition, 1)));

    assertThat(letters.deleteBefore(partition, 3)).as("open ones").isEqualTo(2);
    assertThat(values(letters, DeadLetterFilter.all())).containsExactly("v3", "v4");
    assertThatThrownBy(() -> letters.deleteBefore(partition, 6))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ends at 5");
    assertThatThrownBy(() -> letters.tombstone(letters.list(DeadLetterFilter.all(), 1).get(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not compacted; use deleteBefore");
  }

  @Test
  void writesATombstoneWhereTheTopicIsCompacted() throws Exception {
    broker.create(1);
    topics.create("compacted", 1, Map.of("cleanup.policy", "compact"));
    String compacted = topics.name("compacted");
    broker.send(dead.of(compacted, "a", "v0", "java.lang.Error", 0, broker.group()));
    DeadLetters letters =
        broker
            .factory(CONFIG.replace("dead-letter: {}", "dead-letter: { topic: " + compacted + " }"))
            .deadLetters("failing");

    letters.tombstone(letters.list(DeadLetterFilter.all(), 1).get(0));

    ConsumerRecord<byte[], byte[]> written = broker.read(compacted).awaitCount(2, SOON).get(1);
    assertThat(written.key()).isEqualTo("a".getBytes(UTF_8));
    assertThat(written.value()).isNull();
    assertThatThrownBy(() -> letters.deleteBefore(new TopicPartition(compacted, 0), 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("use tombstone");
  }

  @Test
  void refusesWhatCannotBe() {
    broker.create(1);
    KafkaFactory kafka = broker.factory(CONFIG);

    assertThatThrownBy(() -> kafka.deadLetters("other"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("Consumer 'other' has no 'dead-letter'");
    assertThatThrownBy(() -> Redrive.of(DeadLetterFilter.all()).perSecond(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Redrive.of(DeadLetterFilter.all()).atMost(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Redrive.of(DeadLetterFilter.all()).quarantineAfter(0))
        .isInstanceOf(IllegalArgumentException.class);
    DeadLetters letters = kafka.deadLetters("failing");
    assertThatThrownBy(() -> letters.list(DeadLetterFilter.all(), 0))
        .isInstanceOf(IllegalArgumentException.class);
    kafka.close();
    assertThatThrownBy(() -> letters.list(DeadLetterFilter.all(), 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static List<String> values(DeadLetters letters, DeadLetterFilter filter) {
    return letters.list(filter, 100).stream()
        .map(letter -> new String(letter.value(), UTF_8))
        .toList();
  }

  private static String value(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.value(), UTF_8);
  }
}
