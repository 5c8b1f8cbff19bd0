package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.ClusterNode;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.worker.WorkerProcess;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two processes copy a topic exactly once, while they are killed, their brokers are restarted, and
 * others join their group and leave it. A few of these in each build; the whole of it by {@code
 * -Dmillrace.copy.records=500000 -Dmillrace.copy.kills=20 -Dmillrace.copy.restarts=3
 * -Dmillrace.copy.rebalances=20}, in another order by {@code -Dmillrace.copy.seed}.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class ExactlyOnceKilledTest {
  private static final int RECORDS = Integer.getInteger("millrace.copy.records", 10_000);
  private static final int KILLS = Integer.getInteger("millrace.copy.kills", 3);
  private static final int RESTARTS = Integer.getInteger("millrace.copy.restarts", 1);
  private static final int REBALANCES = Integer.getInteger("millrace.copy.rebalances", 3);
  private static final long SEED = Long.getLong("millrace.copy.seed", 1);
  private static final int KEYS = 200;
  private static final int PARTITIONS = 8;

  /**
   * A broker that is the only one can't be restarted under transactions, whoever runs them: it ends
   * what was open before it knows where the partitions' leaders are, and passes over the markers.
   */
  private static final int BROKERS = 3;

  /** Each so many kills, all are killed, and what they leave is looked at. */
  private static final int LOOK_EACH = 3;

  private static final String STATIC_MEMBER = "group-instance-id: MEMBER,";

  private static final Duration LONG = Duration.ofMinutes(5);

  /** What the next life of a killed process has of it. */
  enum Identity {
    STABLE(
        ", instance-id: MEMBER",
        STATIC_MEMBER + " properties: { session.timeout.ms: 60000, heartbeat.interval.ms: 200 }"),
    NONE("", "group-protocol: consumer");

    private final String ofProcess;
    private final String ofMember;

    Identity(String ofProcess, String ofMember) {
      this.ofProcess = ofProcess;
      this.ofMember = ofMember;
    }
  }

  private enum Fault {
    KILL,
    RESTART,
    JOIN,
    LEAVE
  }

  private final Random random = new Random(SEED);
  private final List<WorkerProcess> copiers = new ArrayList<>();
  private final Deque<KafkaFactory> joined = new ArrayDeque<>();
  private final AtomicLong copiedByJoined = new AtomicLong();
  private KafkaCluster kafka;
  private CopiedTopic topic;
  private String config;
  private int kills;
  private int restarts;
  private int rebalances;
  private int looks;

  @ParameterizedTest
  @EnumSource
  void eachInputIsThereOnce(Identity identity) {
    try (KafkaCluster cluster =
        KafkaCluster.builder()
            .kind(ClusterKind.PROCESS)
            .nodes(BROKERS)
            .property("transaction.abort.timed.out.transaction.cleanup.interval.ms", "200")
            .property("group.consumer.session.timeout.ms", "6000")
            .start()) {
      kafka = cluster;
      kafka.createTopic("in", PARTITIONS);
      kafka.createTopic("out", PARTITIONS);
      topic = new CopiedTopic(kafka, "copy", "in", "out");
      config =
          """
          kafka:
            common: { bootstrap-servers: '%s', connect-timeout: 2m%s }
            consumers:
              copy: { topics: [in], group-id: copy, delivery-semantics: exactly-once, concurrency: 16, on-missing-offset: earliest, %s }
          """
              .formatted(kafka.bootstrapServers(), identity.ofProcess, identity.ofMember);
      long begin = System.nanoTime();
      copyThroughFaults();
      System.out.printf(
          "identity %s, seed %d: %d records copied in %d s, %d kills, %d broker restarts, %d members joined and left, %d looks at what was left: each there once, in order, offsets agree%n",
          identity,
          SEED,
          RECORDS,
          (System.nanoTime() - begin) / 1_000_000_000,
          kills,
          restarts,
          rebalances,
          looks);
    }
  }

  private void copyThroughFaults() {
    try {
      start("copier-1");
      start("copier-2");
      List<Fault> faults = faults();
      int portion = RECORDS / (faults.size() + 1);
      for (int i = 0; i < faults.size(); i++) {
        awaitHandled((long) (i - 1) * portion);
        long before = handled();
        topic.publish(i * portion, (i + 1) * portion, KEYS);
        awaitHandled(before + 1);
        happen(faults.get(i));
      }
      topic.publish(faults.size() * portion, RECORDS, KEYS);
      topic.progress().awaitLagZero(LONG);
      copiers.forEach(copier -> copier.stop(Duration.ofSeconds(60)));
      assertThat(List.of(kills, restarts, rebalances))
          .isEqualTo(List.of(KILLS, RESTARTS, REBALANCES));
      topic.assertComplete();
      assertThat(topic.assertOffsetsSayWhatIsThere()).isEqualTo(RECORDS);
      assertThat(handled()).as("handled, some of it in vain").isGreaterThan(RECORDS);
    } finally {
      joined.forEach(KafkaFactory::close);
      copiers.forEach(WorkerProcess::close);
    }
  }

  /** In an order by chance, but for a member that leaves: it has joined before. */
  private List<Fault> faults() {
    List<Fault> faults = new ArrayList<>();
    faults.addAll(Collections.nCopies(KILLS, Fault.KILL));
    faults.addAll(Collections.nCopies(RESTARTS, Fault.RESTART));
    faults.addAll(Collections.nCopies(2 * REBALANCES, Fault.JOIN));
    Collections.shuffle(faults, random);
    boolean leave = false;
    for (int i = 0; i < faults.size(); i++) {
      if (faults.get(i) == Fault.JOIN) {
        faults.set(i, leave ? Fault.LEAVE : Fault.JOIN);
        leave = !leave;
      }
    }
    return faults;
  }

  private void happen(Fault fault) {
    switch (fault) {
      case KILL -> kill();
      case RESTART -> restartBroker();
      case JOIN -> join();
      case LEAVE -> {
        joined.pop().close();
        rebalances++;
      }
    }
  }

  /** In the midst of its work; each few times all of them, to look at what that leaves. */
  private void kill() {
    copiers.get(random.nextInt(copiers.size())).kill();
    kills++;
    if (kills % LOOK_EACH == 0) {
      joined.forEach(KafkaFactory::close);
      copiers.forEach(WorkerProcess::kill);
      topic.assertOffsetsSayWhatIsThere();
      looks++;
    }
    copiers.stream().filter(copier -> !copier.isAlive()).forEach(WorkerProcess::restart);
  }

  /** One of them, by SIGKILL or in order. */
  private void restartBroker() {
    ClusterNode broker = kafka.node(1 + restarts % BROKERS);
    if (restarts % 2 == 0) {
      broker.kill();
    } else {
      broker.stop();
    }
    broker.start();
    restarts++;
  }

  /** Returns when it has got partitions. One that leaves for good is no static member. */
  private void join() {
    CountDownLatch assigned = new CountDownLatch(1);
    KafkaFactory member =
        KafkaFactory.create(
            ExactlyOnceCopier.config(config.replace(STATIC_MEMBER, ""), "joined-" + rebalances, 1));
    joined.push(member);
    var unused =
        ExactlyOnceCopier.start(
            member,
            "out",
            false,
            new ConsumerListener() {
              @Override
              public void assigned(Set<TopicPartition> partitions) {
                assigned.countDown();
              }
            },
            copiedByJoined::incrementAndGet);
    await().atMost(LONG).until(() -> assigned.getCount() == 0);
  }

  private void start(String name) {
    copiers.add(
        WorkerProcess.of(ExactlyOnceCopier.class)
            .name(name)
            .jvmOption("-Xmx256m")
            .jvmOption("-XX:TieredStopAtLevel=1")
            .argument("config", config)
            .argument("out", "out")
            .argument("lives-that-hang", 0)
            .start());
  }

  private void awaitHandled(long enough) {
    await()
        .atMost(LONG)
        .pollInterval(Duration.ofMillis(2))
        .until(
            () -> {
              for (WorkerProcess copier : copiers) {
                assertThat(copier.isAlive()).as(copier.outputTail()).isTrue();
              }
              return handled() >= enough;
            });
  }

  /** What an abort has undone counts too; so a fault may come a little sooner. */
  private long handled() {
    return copiedByJoined.get() + copiers.stream().mapToLong(WorkerProcess::progress).sum();
  }
}
