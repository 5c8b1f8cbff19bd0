package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A consumer's process is killed in the middle of its work and started again. */
@KafkaTest
class KilledConsumerTest {
  private static final int RECORDS = 20_000;
  private static final int KEYS = 200;
  private static final int KILLS = 3;

  /**
   * What is handled again after one kill: what ran, and what 16 permits with 5 ms each can finish
   * between two commits, which come each 100 ms; with room for a machine that stands still. Without
   * what is saved beyond the committed offset, the second kill alone would cost twice as much when
   * first records hang.
   */
  private static final int MOST_REDONE_PER_KILL = 3_000;

  /** The default channel, and one poll. */
  private static final int MOST_LOST_PER_KILL = 2_032 + 500;

  /**
   * Nothing is lost, keys keep their order, and little is handled again, also when a record of each
   * partition hangs, so that no committed offset moves.
   */
  @Timeout(400)
  @ParameterizedTest(name = "first records hang in {0} lives")
  @ValueSource(ints = {0, KILLS})
  void killedInTheMiddleAndStartedAgain(int livesThatHang, KafkaCluster kafka, TestTopics topics) {
    String topic = topics.create("orders", 4);
    String group = topics.groupId("orders");
    publish(kafka, topic);
    GroupProbe progress = GroupProbe.of(kafka.directServers(), group, topic);
    TopicProbe orders = TopicProbe.of(kafka.directServers(), topic);

    try (WorkerProcess consumer = start(kafka, topic, group, "at-least-once", livesThatHang)) {
      killAndRestart(consumer);
      progress.awaitLagZero(Duration.ofSeconds(90));

      Path[] histories = consumer.historyFiles().toArray(Path[]::new);
      Guarantee.checkAll(
              Evidence.builder()
                  .history(histories)
                  .source(topic, orders.readAll())
                  .offsets(orders.offsets())
                  .commits(progress.commits())
                  .build(),
              Guarantee.noLoss(),
              Guarantee.orderPerKey(),
              Guarantee.noOverlapPerKey(),
              Guarantee.boundedRedo(MOST_REDONE_PER_KILL),
              Guarantee.commitsJustified(),
              Guarantee.commitsMonotonic())
          .assertHolds();
      long handled = History.read(histories).stream().filter(e -> e.kind() == Kind.ENDED).count();
      System.out.printf(
          "%d records, %d kills, first records hang in %d lives: 0 lost, %d handled again%n",
          RECORDS, KILLS, livesThatHang, handled - RECORDS);
    }
  }

  /**
   * At most once: what was in the channel, or committed and not yet handed over, is lost with the
   * process, and nothing is handled twice. The last life ends in peace, so it loses nothing.
   */
  @Timeout(400)
  @Test
  void killedInTheMiddleAtMostOnce(KafkaCluster kafka, TestTopics topics) {
    String topic = topics.create("orders", 4);
    String group = topics.groupId("orders");
    publish(kafka, topic);
    GroupProbe progress = GroupProbe.of(kafka.directServers(), group, topic);
    TopicProbe orders = TopicProbe.of(kafka.directServers(), topic);

    try (WorkerProcess consumer = start(kafka, topic, group, "at-most-once", 0)) {
      killAndRestart(consumer);
      progress.awaitLagZero(Duration.ofSeconds(90));
      consumer.stop(Duration.ofSeconds(60));

      Path[] histories = consumer.historyFiles().toArray(Path[]::new);
      Guarantee.checkAll(
              Evidence.builder()
                  .history(histories)
                  .source(topic, orders.readAll())
                  .offsets(orders.offsets())
                  .commits(progress.commits())
                  .build(),
              Guarantee.noDuplicates(),
              Guarantee.orderPerKey(),
              Guarantee.noOverlapPerKey(),
              Guarantee.commitsMonotonic())
          .assertHolds();
      long ended = History.read(histories).stream().filter(e -> e.kind() == Kind.ENDED).count();
      assertThat(RECORDS - ended)
          .as("lost in %d kills", KILLS)
          .isBetween(1L, (long) KILLS * MOST_LOST_PER_KILL);
      System.out.printf(
          "%d records, %d kills, at most once: 0 handled twice, %d lost%n",
          RECORDS, KILLS, RECORDS - ended);
    }
  }

  private static WorkerProcess start(
      KafkaCluster kafka, String topic, String group, String semantics, int livesThatHang) {
    return WorkerProcess.of(KillableConsumer.class)
        .jvmOption("-Xmx256m")
        .jvmOption("-XX:TieredStopAtLevel=1")
        .argument("kafka", kafka.bootstrapServers())
        .argument("topic", topic)
        .argument("group", group)
        .argument("semantics", semantics)
        .argument("lives-that-hang", Integer.toString(livesThatHang))
        .start();
  }

  private static void killAndRestart(WorkerProcess consumer) {
    for (int kill = 1; kill <= KILLS; kill++) {
      long enough = (long) kill * RECORDS / (2 * KILLS);
      await()
          .atMost(Duration.ofSeconds(90))
          .until(() -> consumer.progress() >= enough || !consumer.isAlive());
      consumer.kill();
      consumer.restart();
    }
  }

  private static void publish(KafkaCluster kafka, String topic) {
    String yaml =
        "kafka: { common: { bootstrap-servers: '%s' }, producers: { filler: { topics: [%s] } } }"
            .formatted(kafka.bootstrapServers(), topic);
    try (KafkaFactory factory = KafkaFactory.create(ConfigLoader.create().parse("test", yaml));
        MessageProducer<String> filler = factory.createProducer("filler", String.class)) {
      List<CompletableFuture<?>> sent = new ArrayList<>();
      for (int i = 0; i < RECORDS; i++) {
        sent.add(filler.send("key-" + i % KEYS, i % KEYS + "/" + i / KEYS));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();
    }
  }
}
