package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** A compacted topic takes no record without a key, and keeps of a key the last one only. */
@KafkaTest
class CompactedTopicsTest {
  private static final Map<String, String> COMPACTED = Map.of("cleanup.policy", "compact");
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          keyless:
            topics: ["${TOPIC}"]
            group-id: "${GROUP}"
            delivery-semantics: %s
            retry: { max-attempts: 1%s }
            dead-letter: {}
      """;

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger redrives =
      (Logger) LoggerFactory.getLogger("dev.millrace.internal.deadletter");
  private final TestTopics topics;
  private final BrokerFixture broker;

  CompactedTopicsTest(KafkaCluster kafka, TestTopics topics) {
    this.topics = topics;
    this.broker = new BrokerFixture(kafka, topics);
  }

  @BeforeEach
  void listen() {
    log.start();
    redrives.addAppender(log);
  }

  @AfterEach
  void close() {
    redrives.detachAppender(log);
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void itStopsWithWordsAtARecordThatItsDeadLetterTopicWillNeverTake(String semantics) {
    broker.create(1);
    broker.kafka().createTopic(broker.deadLetterTopic(), 1, COMPACTED);
    broker.send("first", "good");
    broker.send(null, "bad");

    MessageConsumer consumer = consume(CONFIG.formatted(semantics, ""));

    await().atMost(SOON).until(() -> consumer.state() == ConsumerState.FAILED);
    assertThat(consumer.failure().orElseThrow())
        .hasMessageContaining("-0@1")
        .hasMessageContaining("a compacted topic takes no record without a key");
    assertThat(broker.committed(0)).as("the record is still to be handled").isLessThan(2);
  }

  /** Where a pattern finds the topics, their retry topics are not looked at before the start. */
  @ParameterizedTest
  @ValueSource(strings = {"at-least-once", "exactly-once"})
  void itGivesUpARecordThatItsRetryTopicWillNeverTake(String semantics) {
    broker.create(1);
    broker.kafka().createTopic(broker.topic() + "." + broker.group() + ".retry.1", 1, COMPACTED);
    broker.send(null, "bad");
    broker.send("next", "good");

    consume(
        CONFIG
            .replace("topics: [\"${TOPIC}\"]", "topics-pattern: \"${TOPIC}\"")
            .formatted(semantics, ", topics: [1ms]"));

    broker.awaitLagZero();
    ConsumerRecord<byte[], byte[]> dead =
        broker.read(broker.deadLetterTopic()).awaitCount(1, SOON).get(0);
    assertThat(dead.key()).isNull();
    assertThat(dead.headers().lastHeader("millrace-gave-up").value())
        .isEqualTo("refused by its retry topic".getBytes(UTF_8));
  }

  /** What comes back is marked for one group; what the cleaner takes for it was everybody's. */
  @Test
  void aRecordOfACompactedTopicComesBackOnlyWhenThatIsAskedFor() throws Exception {
    topics.create("source", 1, COMPACTED);
    consume(CONFIG.formatted("at-least-once", ""));
    broker.send("k", "bad");
    broker.send("k", "newer");
    broker.awaitLagZero();
    broker.read(broker.deadLetterTopic()).awaitCount(1, SOON);
    DeadLetters letters =
        broker.factory(CONFIG.formatted("at-least-once", "")).deadLetters("keyless");
    Redrive all = Redrive.of(DeadLetterFilter.all());

    RedriveReport stays = new RedriveReport(false, 0, 0, 0, 0, 0, 1, Map.of());
    assertThat(letters.dryRun(all))
        .isEqualTo(new RedriveReport(true, 0, 0, 0, 0, 0, 1, Map.of()))
        .asString()
        .startsWith("dry run: 0 would be redriven, 0 in quarantine, ");
    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .anyMatch(line -> line.contains(", would stay: its topic is compacted"))
        .noneMatch(line -> line.contains(", stays: "));
    assertThat(letters.redrive(all)).isEqualTo(stays).asString().startsWith("0 redriven, ");
    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .anyMatch(line -> line.contains(", stays: its topic is compacted"));
    assertThat(broker.read(broker.topic()).readAll()).hasSize(2);

    assertThat(letters.redrive(all.alsoIntoCompacted()).redriven()).isEqualTo(1);
  }

  private MessageConsumer consume(String config) {
    return broker
        .factory(config)
        .createConsumer("keyless", String.class)
        .subscribe(
            (text, context) -> {
              if (text.equals("bad")) {
                throw new IllegalStateException("out of stock");
              }
            });
  }
}
