package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A consumer's process is killed in the middle of its work and started again. */
@KafkaTest
class KilledConsumerTest {
  private static final int RECORDS = 20_000;
  private static final int KEYS = 200;
  private static final int KILLS = 3;

  @Test
  void killedInTheMiddleAndStartedAgainNothingIsLost(
      KafkaCluster broker, TestTopics topics, @TempDir Path folder) throws Exception {
    String topic = topics.create("orders", 4);
    String group = topics.groupId("orders");
    publish(broker, topic);

    List<Path> histories = new ArrayList<>();
    for (int life = 0; life <= KILLS; life++) {
      Path history = folder.resolve("life-" + life);
      histories.add(history);
      Process process = KillableConsumer.start(broker.bootstrapServers(), topic, group, history);
      try {
        if (life < KILLS) {
          int enough = RECORDS / (KILLS + 2);
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> handled(history).size() >= enough || !process.isAlive());
        } else {
          await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> distinct(histories).size() == RECORDS || !process.isAlive());
          GroupProbe.of(broker.bootstrapServers(), group, topic)
              .awaitLagZero(Duration.ofSeconds(10));
        }
        assertThat(process.isAlive()).as("the consumer ended by itself").isTrue();
      } finally {
        process.destroyForcibly().waitFor(); // SIGKILL: no hook, no close, no last commit
      }
    }

    assertThat(distinct(histories)).hasSize(RECORDS);
    int all = histories.stream().mapToInt(history -> handled(history).size()).sum();
    System.out.printf(
        "%d records, %d kills: 0 lost, %d handled again%n", RECORDS, KILLS, all - RECORDS);
    histories.forEach(KilledConsumerTest::assertOrderPerKey);
  }

  private static void publish(KafkaCluster broker, String topic) {
    String yaml =
        "kafka: { common: { bootstrap-servers: '%s' }, producers: { filler: { topics: [%s] } } }"
            .formatted(broker.bootstrapServers(), topic);
    try (KafkaFactory kafka = KafkaFactory.create(ConfigLoader.create().parse("test", yaml));
        MessageProducer<String> filler = kafka.createProducer("filler", String.class)) {
      List<CompletableFuture<?>> sent = new ArrayList<>();
      for (int i = 0; i < RECORDS; i++) {
        sent.add(filler.send("key-" + i % KEYS, i % KEYS + "/" + i / KEYS));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();
    }
  }

  private static Set<String> distinct(List<Path> histories) {
    Set<String> distinct = new HashSet<>();
    histories.forEach(history -> distinct.addAll(handled(history)));
    return distinct;
  }

  /** Returns the handled values; a last line that the kill has torn does not count. */
  private static List<String> handled(Path history) {
    try {
      if (!Files.exists(history)) {
        return List.of();
      }
      String text = Files.readString(history);
      return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Within one life, a key's records are handled in their order, each once. */
  private static void assertOrderPerKey(Path history) {
    Map<String, Integer> last = new HashMap<>();
    for (String value : handled(history)) {
      String key = value.substring(0, value.indexOf('/'));
      int sequence = Integer.parseInt(value.substring(value.indexOf('/') + 1));
      Integer before = last.put(key, sequence);
      if (before != null) {
        assertThat(sequence).as("%s: key %s", history.getFileName(), key).isEqualTo(before + 1);
      }
    }
  }
}
