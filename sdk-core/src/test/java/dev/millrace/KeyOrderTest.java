package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.history.RecordAt;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Keys keep their order through retry topics, while two processes of a group are killed in turn and
 * started again. In full: {@code -Dmillrace.order.keys=1000 -Dmillrace.order.restarts=5}.
 */
@KafkaTest
class KeyOrderTest {
  private static final int KEYS = Integer.getInteger("millrace.order.keys", 100);
  private static final int RESTARTS = Integer.getInteger("millrace.order.restarts", 1);
  private static final int RECORDS_OF_A_KEY = 6;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final BrokerFixture broker;
  private final List<WorkerProcess> processes = new ArrayList<>();

  /** How often each record was handled or given up, by its place in its topic. */
  private final Map<String, Integer> resolutions = new HashMap<>();

  KeyOrderTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    processes.forEach(WorkerProcess::close);
    broker.close();
  }

  @Test
  @Timeout(900)
  void noRecordIsHandledBeforeAllThatItsKeyHadBeforeItAreResolved() {
    broker.create(4);
    processes.add(start("one"));
    processes.add(start("two"));
    int waves = RESTARTS + 1;
    for (int wave = 1; wave <= waves; wave++) {
      long enough = progress() + (long) KEYS * RECORDS_OF_A_KEY / waves / 2;
      for (int i = RECORDS_OF_A_KEY * (wave - 1) / waves;
          i < RECORDS_OF_A_KEY * wave / waves;
          i++) {
        for (int key = 0; key < KEYS; key++) {
          broker.sendLater("key-" + key, Integer.toString(i));
        }
      }
      broker.flush();
      if (wave < waves) {
        await().atMost(PATIENCE).until(() -> progress() >= enough);
        WorkerProcess killed = processes.get(wave % 2);
        killed.kill();
        killed.restart();
      }
    }
    Stream.of(broker.topic(), retryTopic(1), retryTopic(2))
        .forEach(
            topic ->
                GroupProbe.of(broker.kafka().directServers(), broker.group(), topic)
                    .awaitLagZero(PATIENCE));

    Map<String, List<Long>> ofKeys = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : broker.read(broker.topic()).readAll()) {
      ofKeys
          .computeIfAbsent(new String(record.key(), UTF_8), first -> new ArrayList<>())
          .add(record.offset());
    }
    assertThat(ofKeys).hasSize(KEYS);
    int attempts = requireOrderOfAttempts(ofKeys);
    int followed = requireOrderInRetryTopic(1) + requireOrderInRetryTopic(2);
    assertThat(followed).as("records that followed their key").isPositive();
    System.out.printf(
        "%d keys, %d records, %d restarts: %d attempts, %d followed their key, order never broken%n",
        KEYS, KEYS * RECORDS_OF_A_KEY, RESTARTS, attempts, followed);
  }

  /** As handlers saw it, in whichever process and topic. */
  private int requireOrderOfAttempts(Map<String, List<Long>> ofKeys) {
    Map<String, Long> finalAttempts = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> letter : broker.read(broker.deadLetterTopic()).readAll()) {
      String place =
          header(letter, "millrace-origin-partition")
              + "@"
              + header(letter, "millrace-origin-offset");
      finalAttempts.putIfAbsent(place, Long.valueOf(header(letter, "millrace-attempts")));
      resolutions.merge(place, 1, Integer::sum);
    }
    Set<String> resolved = new HashSet<>();
    int attempts = 0;
    Path[] histories =
        processes.stream().flatMap(process -> process.historyFiles().stream()).toArray(Path[]::new);
    for (Event event : History.read(histories)) {
      RecordAt at = event.record();
      if (at == null) {
        continue;
      }
      TopicPartition partition = at.partition();
      List<Long> offsets = Objects.requireNonNull(ofKeys.get(Objects.requireNonNull(at.key())));
      if (event.kind() == Kind.STARTED) {
        attempts++;
        assertThat(
                offsets.stream()
                    .filter(offset -> offset < at.offset())
                    .filter(offset -> !resolved.contains(partition.partition() + "@" + offset)))
            .as("not yet resolved, of the same key, when %s", event)
            .isEmpty();
      } else if (event.kind() == Kind.ENDED) {
        String place = partition.partition() + "@" + at.offset();
        Long last = finalAttempts.get(place);
        if (at.outcome() == Outcome.HANDLED) {
          resolutions.merge(place, 1, Integer::sum);
        }
        if (at.outcome() == Outcome.HANDLED || (last != null && last == at.attempt())) {
          resolved.add(place);
        }
      }
    }
    assertThat(resolved).hasSize(KEYS * RECORDS_OF_A_KEY);
    return attempts;
  }

  /**
   * An earlier record comes there behind a later one of its key only if it is handled again after a
   * kill: it was handled before, and its commit was not. So it ends twice.
   */
  private int requireOrderInRetryTopic(int level) {
    Map<String, Long> last = new HashMap<>();
    Set<String> seen = new HashSet<>();
    int followed = 0;
    for (ConsumerRecord<byte[], byte[]> record : broker.read(retryTopic(level)).readAll()) {
      String key = new String(record.key(), UTF_8);
      long offset = Long.parseLong(header(record, "millrace-retry-origin-offset"));
      assertThat(header(record, "millrace-retry-origin-partition"))
          .isEqualTo(Integer.toString(record.partition()));
      if (seen.add(key + "@" + offset) && last.merge(key, offset, Math::max) > offset) {
        assertThat(resolutions.get(record.partition() + "@" + offset))
            .as("how often %s@%d ends, behind later ones in %s", key, offset, record.topic())
            .isGreaterThan(1);
      }
      followed += record.headers().lastHeader("millrace-retry-follows-key") == null ? 0 : 1;
    }
    return followed;
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), UTF_8);
  }

  private String retryTopic(int level) {
    return broker.topic() + "." + broker.group() + ".retry." + level;
  }

  private long progress() {
    return processes.stream().mapToLong(WorkerProcess::progress).sum();
  }

  private WorkerProcess start(String name) {
    return WorkerProcess.of(OrderedConsumer.class)
        .name(name)
        .jvmOption("-Xmx256m")
        .jvmOption("-XX:TieredStopAtLevel=1")
        .argument("kafka", broker.kafka().bootstrapServers())
        .argument("topic", broker.topic())
        .argument("group", broker.group())
        .start();
  }
}
