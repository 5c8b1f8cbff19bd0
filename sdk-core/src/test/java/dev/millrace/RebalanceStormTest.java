package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.Standstill.Rebalance;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.TopicProbe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One rebalance after the other, under a steady load: members of one group join, leave, and take
 * each other's place. A few in each build; {@code -Dmillrace.rebalances=200} makes as many for each
 * protocol, {@code -Dmillrace.rebalances.seed} other ones.
 */
@KafkaTest
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class RebalanceStormTest {
  private static final int REBALANCES = Integer.getInteger("millrace.rebalances", 10);
  private static final long SEED = Long.getLong("millrace.rebalances.seed", 1);
  private static final int PARTITIONS = 6;
  private static final int MOST_MEMBERS = 3;
  private static final List<String> STATIC_NAMES = List.of("first", "second", "third");

  /** Members learn of a rebalance by their heartbeats. */
  private static final int HEARTBEAT_MILLIS = 100;

  enum Protocol {
    EAGER(
        "properties: { heartbeat.interval.ms: %d, partition.assignment.strategy: org.apache.kafka.clients.consumer.RangeAssignor }"),
    COOPERATIVE("properties: { heartbeat.interval.ms: %d }"),
    CONSUMER("group-protocol: consumer");

    private final String settings;

    Protocol(String settings) {
      this.settings = settings.formatted(HEARTBEAT_MILLIS);
    }
  }

  private final KafkaCluster kafka;
  private final BrokerFixture broker;
  private final SteadyLoad load;
  private final Owners owners = new Owners();
  private final Path folder;
  private final Map<String, StormMember> members = new TreeMap<>();
  private final List<Rebalance> rebalances = new ArrayList<>();
  private int lives;

  RebalanceStormTest(KafkaCluster kafka, TestTopics topics, @TempDir Path folder) {
    this.kafka = kafka;
    this.broker = new BrokerFixture(kafka, topics);
    this.load = new SteadyLoad(kafka.bootstrapServers(), broker.topic(), PARTITIONS);
    this.folder = folder;
  }

  @AfterEach
  void close() throws Exception {
    load.stop();
    members.values().forEach(StormMember::close);
    broker.close();
  }

  @ParameterizedTest
  @EnumSource
  void everyGuaranteeHoldsThroughRebalances(Protocol protocol) throws Exception {
    begin();
    Random random = new Random(SEED);
    join("member-0", protocol.settings);
    awaitSettled();
    for (int i = 0; i < REBALANCES; i++) {
      change(random, protocol);
    }
    assertGuarantees(protocol.toString());
  }

  /** Any number leave while any number join, so that closes and rebalances meet. */
  private void change(Random random, Protocol protocol) {
    int leaving;
    int joining;
    do {
      leaving = random.nextInt(members.size() + 1);
      joining = random.nextInt(MOST_MEMBERS + 1 - members.size() + leaving);
    } while (leaving + joining == 0 || members.size() - leaving + joining == 0);
    List<String> gone = shuffled(members.keySet(), random).subList(0, leaving);
    int come = joining;
    rebalance(
        () -> {
          List<CompletableFuture<Void>> left = gone.stream().map(this::leaveLater).toList();
          for (int i = 0; i < come; i++) {
            lives++;
            join("member-" + lives, protocol.settings);
          }
          left.forEach(CompletableFuture::join);
        });
  }

  /** What a restart under the same name is for: nobody else's partitions move. */
  @ParameterizedTest
  @EnumSource
  void aStaticMemberThatRestartsMovesNobodysPartitions(Protocol protocol) throws Exception {
    begin();
    Random random = new Random(SEED);
    for (String name : STATIC_NAMES) {
      join(name, asStatic(name, protocol));
    }
    awaitSettled();
    for (int i = 0; i < Math.max(3, REBALANCES / 10); i++) {
      restart(shuffled(STATIC_NAMES, random).get(0), protocol);
    }
    assertGuarantees(protocol + " with static members");
  }

  private void restart(String name, Protocol protocol) {
    Map<TopicPartition, String> before = owners.now();
    List<Integer> others = changesOfOthers(name);
    long begin = System.nanoTime();
    leaveLater(name).join();
    Map<TopicPartition, String> without = owners.now();
    join(name, asStatic(name, protocol));
    awaitSettled();
    rebalances.add(new Rebalance(begin, System.nanoTime(), without, before));
    assertThat(without).hasSize(PARTITIONS - PARTITIONS / STATIC_NAMES.size());
    assertThat(owners.now()).isEqualTo(before);
    assertThat(changesOfOthers(name)).isEqualTo(others);
  }

  private List<Integer> changesOfOthers(String name) {
    return STATIC_NAMES.stream().filter(other -> !other.equals(name)).map(owners::changes).toList();
  }

  private static String asStatic(String name, Protocol protocol) {
    return "group-instance-id: " + name + "\n" + protocol.settings;
  }

  private void begin() throws Exception {
    broker.create(PARTITIONS);
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                new ConfigResource(ConfigResource.Type.GROUP, broker.group()),
                List.of(
                    set("consumer.heartbeat.interval.ms", HEARTBEAT_MILLIS),
                    // As long as the classic one, so that a slow machine costs no membership.
                    set("consumer.session.timeout.ms", 45_000))))
        .all()
        .get();
    load.start();
  }

  private static AlterConfigOp set(String name, int value) {
    return new AlterConfigOp(
        new ConfigEntry(name, Integer.toString(value)), AlterConfigOp.OpType.SET);
  }

  private void rebalance(Runnable change) {
    Map<TopicPartition, String> before = owners.now();
    long begin = System.nanoTime();
    change.run();
    awaitSettled();
    Map<TopicPartition, String> after = owners.now();
    assertThat(after).as("a rebalance that moves nothing is none").isNotEqualTo(before);
    rebalances.add(new Rebalance(begin, System.nanoTime(), before, after));
  }

  private void awaitSettled() {
    await()
        .atMost(SOON)
        .pollInterval(10, TimeUnit.MILLISECONDS)
        .until(() -> owners.isSettled(members.keySet(), PARTITIONS / members.size()));
  }

  private void join(String name, String settings) {
    members.put(name, new StormMember(broker, owners, folder, name, settings));
  }

  private CompletableFuture<Void> leaveLater(String name) {
    return CompletableFuture.runAsync(
        Objects.requireNonNull(members.remove(name))::close, task -> new Thread(task).start());
  }

  private static List<String> shuffled(Collection<String> names, Random random) {
    List<String> shuffled = new ArrayList<>(names);
    Collections.shuffle(shuffled, random);
    return shuffled;
  }

  private void assertGuarantees(String what) throws Exception {
    load.stop();
    broker.awaitLagZero();
    members.values().forEach(StormMember::close);
    TopicProbe source = broker.read(broker.topic());
    List<Event> events = History.readAll(folder);
    long handled = events.stream().filter(event -> event.kind() == Kind.ENDED).count();
    long records = source.readAll().size();
    System.out.printf(
        "%d rebalances, %s, seed %d, %d records: %d handled again; %s%n",
        rebalances.size(),
        what,
        SEED,
        records,
        handled - records,
        new Standstill(events, rebalances).summary());
    Guarantee.checkAll(
            Evidence.builder()
                .history(events)
                .source(broker.topic(), source.readAll())
                .offsets(source.offsets())
                .commits(broker.progress().commits())
                .build(),
            Guarantee.noLoss(),
            Guarantee.orderPerKey(),
            Guarantee.noOverlapPerKeyAcrossProcesses(),
            Guarantee.boundedRedo(0),
            Guarantee.commitsJustified(),
            Guarantee.commitsMonotonic(),
            Guarantee.commitsByOwner())
        .assertHolds();
    assertThat(owners.twoAtOnce()).isEmpty();
  }
}
