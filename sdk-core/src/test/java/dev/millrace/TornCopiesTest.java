package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultProxy;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.ProxyEvent;
import dev.millrace.testkit.proxy.Requests;
import dev.millrace.testkit.worker.WorkerProcess;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An exactly-once copy whose transactions are torn, fenced, expired or left behind: when the fault
 * is over, each input is there once, in order, nothing is open, and the offsets say so.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class TornCopiesTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int PARTITIONS = 4;
  private static final int KEYS = 40;

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: '%s', connect-timeout: 2m }
        consumers:
          copy:
            topics: [%s]
            group-id: %s
            delivery-semantics: exactly-once
            concurrency: 8
            transaction: { timeout: 6s }
            on-missing-offset: earliest
            properties: { session.timeout.ms: 3000, heartbeat.interval.ms: 200 }
      """;

  /** What a transaction consists of. */
  enum Step {
    OUTPUT(ApiKeys.PRODUCE),
    OFFSETS(ApiKeys.TXN_OFFSET_COMMIT),
    END(ApiKeys.END_TXN);

    private final ApiKeys api;

    Step(ApiKeys api) {
      this.api = api;
    }

    Requests requests() {
      return Requests.of(api);
    }
  }

  private final List<AutoCloseable> toClose = new ArrayList<>();
  private final AtomicInteger handled = new AtomicInteger();
  private MeterRegistry meters;
  private int eventsBefore;
  private KafkaCluster kafka;
  private FaultProxy proxy;
  private CopiedTopic topic;
  private String config;
  private String name;
  private int published;

  @BeforeAll
  void start() {
    kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .proxied()
            .property("transaction.abort.timed.out.transaction.cleanup.interval.ms", "200")
            .start();
    proxy = kafka.node(1).proxy();
  }

  @AfterAll
  void stop() {
    kafka.close();
  }

  @BeforeEach
  void begin(TestInfo test) {
    name =
        test.getTestMethod().orElseThrow().getName()
            + "-"
            + Integer.toHexString(test.getDisplayName().hashCode());
    kafka.createTopic(name, PARTITIONS);
    kafka.createTopic(out(), PARTITIONS);
    topic = new CopiedTopic(kafka, name, name, out());
    config = CONFIG.formatted(kafka.bootstrapServers(), name, name);
    meters = new SimpleMeterRegistry();
    eventsBefore = proxy.events().size();
    handled.set(0);
    published = 0;
  }

  @AfterEach
  void close() throws Exception {
    proxy.heal();
    for (AutoCloseable resource : toClose) {
      resource.close();
    }
    toClose.clear();
  }

  @ParameterizedTest
  @EnumSource
  void lostAnswersAreAskedForAgain(Step step) {
    copyFirst();
    FaultRule lost = proxy.dropResponse(step.requests().first(3), Afterwards.CUT);

    publish(500);

    await().atMost(LONG).until(() -> lost.hits() == 3);
    assertComplete();
  }

  /** Its client gives it up, and another one fences it. It comes when that one is at work. */
  @ParameterizedTest
  @EnumSource
  void whatArrivesAfterItsClientHasLeftChangesNothing(Step step) {
    copyFirst();
    FaultRule held = proxy.hold(step.requests());
    publish(200);
    held.awaitHit(LONG);
    held.awaitClientsLeft(LONG);
    held.remove();
    publish(200);
    awaitLagZero();

    held.release();

    await().atMost(LONG).until(() -> lateAnswers(step).size() == held.hits());
    assertThat(lateAnswers(step)).noneMatch(event -> event.answer().contains(Errors.NONE));
    publish(100);
    assertComplete();
    assertThat(handled.get()).as("handled, some of it in vain").isGreaterThan(published);
  }

  /** The end is applied, and nobody is told, until the client gives up. */
  @ParameterizedTest
  @EnumSource
  void whatWasAppliedAndNeverAnsweredIsThereOnce(Step step) {
    copyFirst();
    FaultRule lost = proxy.dropResponse(step.requests(), Afterwards.CUT);
    publish(200);
    lost.awaitHit(LONG);
    await().atMost(LONG).until(() -> failedCommits() > 0);
    lost.remove();

    publish(100);

    assertComplete();
  }

  @ParameterizedTest
  @EnumSource
  void anotherClientThatTakesTheIdAwayMidWay(Step step) {
    copyFirst();
    FaultRule held = proxy.hold(step.requests());
    publish(200);
    held.awaitHit(LONG);

    for (String id : transactionalIds()) {
      try (KafkaProducer<String, String> thief =
          new KafkaProducer<>(
              Map.of("bootstrap.servers", kafka.directServers(), "transactional.id", id),
              new StringSerializer(),
              new StringSerializer())) {
        thief.initTransactions();
      }
    }

    held.release();
    publish(200);
    assertComplete();
    assertThat(handled.get()).as("handled, some of it in vain").isGreaterThan(published);
  }

  @ParameterizedTest
  @EnumSource(names = {"OFFSETS", "END"})
  void aTransactionThatExpiresWhileItsCommitIsOnItsWay(Step step) {
    copyFirst();
    FaultRule held = proxy.hold(step.requests());
    publish(200);
    held.awaitHit(LONG);
    assertThat(topic.outputs().openTransactions()).isNotEmpty();

    await().atMost(LONG).until(() -> topic.outputs().openTransactions().isEmpty());

    held.release();
    publish(200);
    assertComplete();
    assertThat(handled.get()).as("handled, some of it in vain").isGreaterThan(published);
  }

  @ParameterizedTest
  @EnumSource
  void aBrokerThatRestartsWithinACommit(Step step) {
    copyFirst();
    FaultRule held = proxy.hold(step.requests());
    publish(200);
    held.awaitHit(LONG);

    kafka.stopBroker();
    proxy.heal();
    kafka.startBroker();

    publish(200);
    assertComplete();
  }

  /**
   * It has saved work beyond its committed offsets, and dies between the offsets and the end of a
   * transaction, so that nobody knows for a while what is committed.
   */
  @Test
  void whatAKilledOwnerHasSavedIsWaitedForUntilItsTransactionHasEnded() {
    publish(400);
    int behindHanging = PARTITIONS * 400 / KEYS;
    try (WorkerProcess owner = owner(1)) {
      await().atMost(LONG).until(() -> owner.progress() == 400 - behindHanging);
      FaultRule held = proxy.hold(Step.END.requests());
      publish(200);
      held.awaitHit(LONG);
      await().atMost(LONG).until(this::offsetsArePending);
      owner.kill();
      held.remove();
      copy();

      publish(100);

      assertComplete();
    }
  }

  /** Its session and its transaction expire meanwhile; another member has taken over. */
  @ParameterizedTest
  @EnumSource
  void aProcessThatStoodStillInACommit(Step step) {
    publish(400);
    try (WorkerProcess zombie = owner(0)) {
      await().atMost(LONG).until(() -> zombie.progress() >= 400);
      awaitLagZero();
      FaultRule held = proxy.hold(step.requests());
      publish(200);
      held.awaitHit(LONG);
      zombie.pause();
      held.remove();
      Set<TopicPartition> taken = copy();
      await().atMost(LONG).until(() -> taken.size() == PARTITIONS);
      publish(100);
      awaitLagZero();

      held.release();
      zombie.resume();

      // When it has its part again, it has heard that it had lost all, and undone what it had
      // begun.
      // Until then, handlers that stood still go on in vain.
      await().atMost(LONG).until(() -> taken.size() < PARTITIONS);
      long before = zombie.progress();
      await()
          .atMost(LONG)
          .until(
              () -> {
                publish(20);
                return zombie.progress() > before;
              });
      assertComplete();
      zombie.stop(Duration.ofSeconds(60));
    }
  }

  private void copyFirst() {
    copy();
    publish(200);
    awaitLagZero();
  }

  /** Returns the partitions that the consumer has, at each moment. */
  private Set<TopicPartition> copy() {
    KafkaFactory factory =
        KafkaFactory.builder()
            .meterRegistry(meters)
            .create(ExactlyOnceCopier.config(config, "member", 1));
    toClose.add(factory);
    Set<TopicPartition> assigned = ConcurrentHashMap.newKeySet();
    MessageConsumer consumer =
        ExactlyOnceCopier.start(
            factory,
            out(),
            false,
            new ConsumerListener() {
              @Override
              public void assigned(Set<TopicPartition> partitions) {
                assigned.addAll(partitions);
              }

              @Override
              public void revoked(Set<TopicPartition> partitions) {
                assigned.removeAll(partitions);
              }
            },
            handled::incrementAndGet);
    assertThat(consumer.isHealthy()).isTrue();
    return assigned;
  }

  private WorkerProcess owner(int livesThatHang) {
    return WorkerProcess.of(ExactlyOnceCopier.class)
        .name("owner")
        .jvmOption("-Xmx256m")
        .jvmOption("-XX:TieredStopAtLevel=1")
        .argument("config", config)
        .argument("out", out())
        .argument("lives-that-hang", livesThatHang)
        .start();
  }

  private void publish(int records) {
    topic.publish(published, published + records, KEYS);
    published += records;
  }

  private void awaitLagZero() {
    topic.progress().awaitLagZero(LONG);
  }

  private void assertComplete() {
    awaitLagZero();
    topic.assertComplete();
    assertThat(topic.assertOffsetsSayWhatIsThere()).isEqualTo(published);
  }

  private boolean offsetsArePending() {
    return topic.progress().commits().stream()
        .anyMatch(commit -> commit.state() == Commit.State.PENDING);
  }

  private List<ProxyEvent> lateAnswers(Step step) {
    return proxy.events().stream()
        .skip(eventsBefore)
        .filter(event -> event.is(ProxyEvent.What.UNDELIVERED, step.api))
        .toList();
  }

  private Set<String> transactionalIds() {
    Set<String> ids = new HashSet<>();
    transactions().forEach(transaction -> ids.add(transaction.transactionalId()));
    return ids;
  }

  private double failedCommits() {
    return meters.get("millrace.consumer.commit.failures").counter().count();
  }

  private List<TransactionListing> transactions() {
    try {
      return List.copyOf(kafka.admin().listTransactions(new ListTransactionsOptions()).all().get());
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  private String out() {
    return name + "-out";
  }
}
