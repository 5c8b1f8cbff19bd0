package dev.millrace.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.ClusterNode;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.guarantee.Report;
import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.internal.Answer;
import dev.millrace.testkit.probe.TopicProbe;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The leader of a partition is killed under load, and once its disk is lost with it. */
class LeaderKilledTest {
  private static final String TOPIC = "load";
  private static final Duration SOON = Duration.ofMinutes(2);

  @Test
  @Timeout(600)
  void noAcknowledgedRecordIsLost(@TempDir Path folder) {
    Path history = folder.resolve("producer.jsonl");
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(3).start()) {
      kafka.createTopic(TOPIC, 1);
      try (ProducerLoad load = ProducerLoad.start(kafka.bootstrapServers(), TOPIC, history)) {
        FaultRun.of(schedule())
            .fault("kill", target -> killLeader(kafka, load, false))
            .fault("kill-and-lose-disk", target -> killLeader(kafka, load, true))
            .load("acknowledged sends", load::acknowledged)
            .guarantees("load", () -> guarantees(kafka, load, history))
            .run()
            .requirePass();
      }
    }
    List<Event> events = History.read(history);
    System.out.printf(
        "leader killed twice, once with its disk: %d acknowledged, %d unknown, 0 lost%n",
        count(events, Kind.ACKED), count(events, Kind.SEND_UNKNOWN));
  }

  private static FaultSchedule schedule() {
    return new FaultSchedule(
        0,
        Duration.ofSeconds(12),
        List.of(
            new FaultStep(Duration.ofSeconds(1), "kill", "leader", 0, Duration.ofSeconds(4)),
            new FaultStep(
                Duration.ofSeconds(6), "kill-and-lose-disk", "leader", 0, Duration.ofSeconds(4))));
  }

  /**
   * Witnessed by another leader. Healed when sends were acknowledged without the node, and it has
   * caught up.
   */
  private static Fault killLeader(KafkaCluster kafka, ProducerLoad load, boolean andLoseDisk) {
    AtomicReference<ClusterNode> killed = new AtomicReference<>();
    AtomicLong before = new AtomicLong();
    return new Fault(
        "SIGKILL of the leader" + (andLoseDisk ? ", and loss of its disk" : ""),
        () -> {
          ClusterNode leader = kafka.leaderOf(partition());
          killed.set(leader);
          leader.kill();
          before.set(load.acknowledged());
          if (andLoseDisk) {
            leader.wipe();
          }
        },
        () -> {
          Awaitility.await().atMost(SOON).until(() -> load.acknowledged() > before.get() + 1_000);
          ClusterNode node = killed.get();
          node.start();
          Awaitility.await().atMost(SOON).until(() -> inSync(kafka).contains(node.id()));
        },
        () -> killed.get() != null && leads(kafka) != killed.get().id() ? 1 : 0);
  }

  private static Report guarantees(KafkaCluster kafka, ProducerLoad load, Path history) {
    load.close();
    Evidence evidence =
        Evidence.builder()
            .history(history)
            .source(TOPIC, TopicProbe.of(kafka.directServers(), TOPIC).readAll())
            .build();
    Awaitility.await().atMost(SOON).untilAsserted(() -> assertThat(inSync(kafka)).hasSize(3));
    return Guarantee.checkAll(evidence, Guarantee.ackedInLog());
  }

  private static int leads(KafkaCluster kafka) {
    return kafka.leaderOf(partition()).id();
  }

  private static List<Integer> inSync(KafkaCluster kafka) {
    TopicDescription topic =
        Answer.to("describe " + TOPIC, kafka.admin().describeTopics(List.of(TOPIC)).allTopicNames())
            .get(TOPIC);
    TopicPartitionInfo partition = topic.partitions().get(0);
    return partition.isr().stream().map(node -> node.id()).toList();
  }

  private static TopicPartition partition() {
    return new TopicPartition(TOPIC, 0);
  }

  private static long count(List<Event> events, Kind kind) {
    return events.stream().filter(event -> event.kind() == kind).count();
  }
}
