package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.RecordAt;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.worker.WorkerProcess;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records fail in all ways that there are, some until their attempts in place and in two retry
 * topics are used up, while processes are killed and members join and leave: each is handled, or a
 * dead letter that is as it was. Little of it in each build; the whole by {@code
 * -Dmillrace.failures.records=200000 -Dmillrace.failures.kills=20
 * -Dmillrace.failures.rebalances=10}, in another order by {@code -Dmillrace.failures.seed}.
 */
@KafkaTest
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class FailuresBalanceTest {
  private static final int RECORDS = Integer.getInteger("millrace.failures.records", 3_000);
  private static final int KILLS = Integer.getInteger("millrace.failures.kills", 2);
  private static final int REBALANCES = Integer.getInteger("millrace.failures.rebalances", 1);
  private static final long SEED = Long.getLong("millrace.failures.seed", 1);
  private static final int PARTITIONS = 6;
  private static final int CONCURRENCY = 8;

  /**
   * What may end again after one kill: what ran, and what 8 permits with 4 ms each can finish
   * between two commits, with room for a machine that stands still.
   */
  private static final int MOST_REPEATED_PER_KILL = 2_000;

  /** The next life takes the killed one's place at once, whatever the machine does. */
  private static final String STATIC_MEMBER = "group-instance-id: MEMBER,";

  private static final String CLASSIC =
      "properties: { session.timeout.ms: 60000, heartbeat.interval.ms: 200 },";

  private static final Duration LONG = Duration.ofMinutes(5);

  private enum Fault {
    END,
    JOIN,
    LEAVE
  }

  /** A member of the group in the test's own process. */
  private record Member(KafkaFactory factory, History history) {
    void close() {
      factory.close();
      history.close();
    }
  }

  private final KafkaCluster kafka;
  private final TestTopics topics;
  private final Random random = new Random(SEED);
  private final List<WorkerProcess> processes = new ArrayList<>();
  private final Deque<Member> members = new ArrayDeque<>();
  private final Deque<Member> joined = new ArrayDeque<>();
  private final List<Path> histories = new ArrayList<>();
  private final AtomicLong triedByMembers = new AtomicLong();
  private final Map<String, Long> outcomes = new ConcurrentHashMap<>();
  @TempDir private Path folder;
  private String group;
  private FailingTopic failing;
  private String out = "";
  private String config;
  private long began;

  /** How many faults came while there was something left to do. */
  private int inTheMidst;

  FailuresBalanceTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    this.topics = topics;
  }

  @BeforeEach
  void create() {
    group = topics.groupId("group");
    failing = new FailingTopic(kafka, topics.create("failing", PARTITIONS), group, RECORDS, random);
  }

  @AfterEach
  void close() {
    joined.forEach(Member::close);
    members.forEach(Member::close);
    processes.forEach(WorkerProcess::close);
    failing.close();
  }

  /** Nothing is lost, and what ends again was in flight when a kill came. */
  @Test
  void killedAtLeastOnce() throws Exception {
    config = config("at-least-once", STATIC_MEMBER + CLASSIC);
    failThroughFaults(this::startProcess, this::kill);

    Map<Integer, Integer> handled = handled();
    failing.assertHandled(handled);
    Map<Integer, Integer> dead = failing.assertDeadLetters();
    failing.assertRetried();
    Set<Integer> again = moreThanOnce(handled);
    again.addAll(moreThanOnce(dead));
    Set<Integer> cutOff = triedByKilled();
    assertThat(again)
        .as("ended again, though no life that was killed had tried it")
        .allMatch(number -> cutOff.contains(number) || failing.isUndecodable(number));
    long repeats = repeats(handled) + repeats(dead);
    assertThat(repeats).isLessThanOrEqualTo((long) KILLS * MOST_REPEATED_PER_KILL);
    report(
        "at-least-once, %d kills: none lost, %d handled again, %d dead letters there again"
            .formatted(KILLS, repeats(handled), repeats(dead)));
  }

  /** Outputs, retry records and dead letters are there once, whoever was killed. */
  @Test
  void killedExactlyOnce() throws Exception {
    out = topics.create("out", PARTITIONS);
    config = config("exactly-once", STATIC_MEMBER + CLASSIC);
    failThroughFaults(this::startProcess, this::kill);

    Map<Integer, Integer> outputs = failing.outputs(out);
    failing.assertHandled(outputs);
    assertOnce(outputs, failing.assertDeadLetters(), failing.assertRetried());
    report("exactly-once, %d kills: each there once".formatted(KILLS));
  }

  /** At least once, and nobody is killed: each ends once, and the books balance. */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void membersComeAndGo(String protocol) throws Exception {
    config =
        config("at-least-once", protocol.equals("classic") ? CLASSIC : "group-protocol: consumer,");
    failThroughFaults(name -> members.add(member(name)), this::restartMember);

    Map<Integer, Integer> handled = handled();
    failing.assertHandled(handled);
    Map<Integer, Integer> dead = failing.assertDeadLetters();
    Map<String, Integer> retried = failing.assertRetried();
    assertOnce(handled, dead, retried);
    assertThat(outcomes)
        .containsEntry("handled", (long) handled.size())
        .containsEntry("dead-lettered", (long) dead.size())
        .containsEntry("retry-topic", (long) retried.size())
        .containsEntry("skipped", 0L)
        .containsEntry("stopped", 0L);
    report("at-least-once, protocol %s, no kill: each there once".formatted(protocol));
  }

  private String config(String semantics, String settings) {
    return """
        kafka:
          common: { bootstrap-servers: '%s', connect-timeout: 2m, instance-id: MEMBER }
          consumers:
            failing: { topics: [%s], group-id: %s, delivery-semantics: %s, concurrency: %d, on-missing-offset: earliest, drain-timeout: 30s, %s
              retry: { max-attempts: %d, backoff: { initial: 5ms, max: 20ms }, topics: %s }, dead-letter: {} }
        """
        .formatted(
            kafka.bootstrapServers(),
            failing.name(),
            group,
            semantics,
            CONCURRENCY,
            settings,
            FailingTopic.ATTEMPTS,
            FailingTopic.DELAYS);
  }

  private void failThroughFaults(Consumer<String> start, Runnable end) throws Exception {
    began = System.nanoTime();
    start.accept("first");
    start.accept("second");
    List<Fault> faults = faults();
    int portion = RECORDS / (faults.size() + 1);
    for (int i = 0; i < faults.size(); i++) {
      awaitTried((long) (i - 1) * portion);
      long before = tried();
      failing.publish(i * portion, (i + 1) * portion);
      awaitTried(before + portion / 3);
      inTheMidst += tried() < (i + 1L) * portion ? 1 : 0;
      switch (faults.get(i)) {
        case END -> end.run();
        case JOIN -> joined.push(member("joined-" + i));
        case LEAVE -> joined.pop().close();
      }
    }
    failing.publish(faults.size() * portion, RECORDS);
    failing.awaitAllEnded();
    members.forEach(Member::close);
    members.clear();
    processes.forEach(process -> process.stop(Duration.ofMinutes(1)));
    processes.forEach(process -> histories.addAll(process.historyFiles()));
    failing.readAll();
    failing.assertOffsetsAtTheEnds();
  }

  /** In an order by chance, but for a member that leaves: it has joined before. */
  private List<Fault> faults() {
    List<Fault> faults = new ArrayList<>();
    faults.addAll(Collections.nCopies(KILLS, Fault.END));
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

  private void startProcess(String name) {
    processes.add(
        WorkerProcess.of(FailingService.class)
            .name(name)
            .jvmOption("-Xmx256m")
            .jvmOption("-XX:TieredStopAtLevel=1")
            .argument("config", config)
            .argument("out", out)
            .start());
  }

  private void kill() {
    WorkerProcess victim = processes.get(random.nextInt(processes.size()));
    victim.kill();
    victim.restart();
  }

  private void restartMember() {
    members.remove().close();
    members.add(member("restarted-" + histories.size()));
  }

  /** Returns when it has got partitions. One that leaves for good is no static member. */
  private Member member(String name) {
    CountDownLatch assigned = new CountDownLatch(1);
    Path file = folder.resolve(name + ".jsonl");
    histories.add(file);
    History history = History.write(file, name);
    KafkaFactory factory =
        KafkaFactory.builder()
            .meterRegistry(registry())
            .create(FailingService.config(config.replace(STATIC_MEMBER, ""), name));
    Member member = new Member(factory, history);
    var unused =
        FailingService.start(
            factory,
            out,
            history,
            new ConsumerListener() {
              @Override
              public void assigned(Set<TopicPartition> partitions) {
                assigned.countDown();
              }
            },
            triedByMembers::incrementAndGet);
    await().atMost(LONG).until(() -> assigned.getCount() == 0);
    return member;
  }

  /** Adds up what became of records when a member has closed. */
  private MeterRegistry registry() {
    MeterRegistry registry = new SimpleMeterRegistry();
    registry
        .config()
        .onMeterRemoved(
            meter -> {
              String outcome = meter.getId().getTag("outcome");
              if (outcome != null && meter instanceof Counter counter) {
                outcomes.merge(outcome, (long) counter.count(), Long::sum);
              }
            });
    return registry;
  }

  private void awaitTried(long enough) {
    await()
        .atMost(LONG)
        .pollInterval(Duration.ofMillis(2))
        .until(
            () -> {
              for (WorkerProcess process : processes) {
                assertThat(process.isAlive()).as(process.outputTail()).isTrue();
              }
              return tried() >= enough;
            });
  }

  private long tried() {
    return triedByMembers.get() + processes.stream().mapToLong(WorkerProcess::progress).sum();
  }

  /** How often each was handled, as those tell who did it. */
  private Map<Integer, Integer> handled() {
    Map<Integer, Integer> handled = new HashMap<>();
    for (Event event : History.read(histories.toArray(Path[]::new))) {
      if (event.kind() == Kind.ENDED) {
        handled.merge(number(event), 1, Integer::sum);
      }
    }
    return handled;
  }

  /** What was tried by lives that have not ended in order. */
  private Set<Integer> triedByKilled() {
    Set<Integer> tried = new HashSet<>();
    for (Path file : histories) {
      List<Event> events = History.read(file);
      if (events.stream().noneMatch(event -> event.kind() == Kind.PROCESS_ENDED)) {
        events.stream()
            .filter(event -> event.kind() == Kind.STARTED)
            .forEach(event -> tried.add(number(event)));
      }
    }
    return tried;
  }

  private int number(Event event) {
    RecordAt record = Objects.requireNonNull(event.record());
    return failing.number(record.partition().partition(), record.offset());
  }

  private static Set<Integer> moreThanOnce(Map<Integer, Integer> times) {
    Set<Integer> again = new TreeSet<>(times.keySet());
    again.removeIf(number -> times.get(number) == 1);
    return again;
  }

  private static long repeats(Map<Integer, Integer> times) {
    return times.values().stream().mapToLong(Integer::longValue).sum() - times.size();
  }

  @SafeVarargs
  private static void assertOnce(Map<?, Integer>... all) {
    for (Map<?, Integer> times : all) {
      assertThat(times).allSatisfy((which, often) -> assertThat(often).isEqualTo(1));
    }
  }

  private void report(String what) {
    System.out.printf(
        "%d records in %d s, seed %d, %d members joined and left, %d faults in the midst of work, %s%n",
        RECORDS, (System.nanoTime() - began) / 1_000_000_000, SEED, REBALANCES, inTheMidst, what);
  }
}
