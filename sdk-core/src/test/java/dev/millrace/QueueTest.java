package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static dev.millrace.BrokerFixture.hold;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Share groups: many consumers on one partition, each record with whoever is free. */
@KafkaTest
class QueueTest {
  /** As long as the brokers allow: what comes sooner was given back, and did not run out. */
  private static final Duration LONG_LOCK = Duration.ofSeconds(60);

  /** Far more than a free record needs, and less than the long lock. */
  private static final Duration BEFORE_LOCK_ENDS = Duration.ofSeconds(40);

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers:
            mode: queue
            group-id: ${GROUP}
            concurrency: 2
            commit-interval: 20ms
            retry: { max-attempts: 3, backoff: { initial: 1ms } }
        consumers:
          queue: { topics: ["${TOPIC}"] }
          queue-dead-letters: { topics: ["${TOPIC}"], dead-letter: {} }
          queue-watched:
            topics: ["${TOPIC}"]
            instances: 2
            concurrency: 4
            dead-letter: {}
            handler-watchdog: { after: 1s, policy: dead-letter }
          queue-hurried: { topics: ["${TOPIC}"], close-timeout: 500ms }
      """;

  private final BrokerFixture broker;
  private final KafkaCluster kafka;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();
  private final CountDownLatch release = new CountDownLatch(1);

  QueueTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
  }

  @Test
  void threeConsumersShareOnePartition() {
    broker.create(1);
    Map<Integer, Set<String>> byConsumer = new ConcurrentHashMap<>();
    for (int i = 0; i < 3; i++) {
      Set<String> mine = byConsumer.computeIfAbsent(i, one -> ConcurrentHashMap.newKeySet());
      another("queue")
          .subscribe(
              (value, context) -> {
                mine.add(value);
                // Nobody takes it all: whoever is at work leaves the rest to the others.
                await()
                    .atMost(SOON)
                    .until(() -> byConsumer.values().stream().noneMatch(Set::isEmpty));
                handled.add(value);
              });
    }
    List<String> sent = fill(200);

    awaitAcknowledged();

    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
    assertThat(byConsumer.values()).noneMatch(Set::isEmpty);
  }

  @Test
  void endsInAnyOrderAreAcknowledged() {
    broker.create(1);
    fill(7);
    ConcurrentLinkedDeque<CompletableFuture<Void>> running = new ConcurrentLinkedDeque<>();
    broker
        .factory(CONFIG.replace("concurrency: 2", "concurrency: 16"), registry)
        .createConsumer("queue", String.class)
        .subscribeAsync(
            (value, context) -> {
              assertThat(context.deliveryCount()).hasValue(1);
              running.add(new CompletableFuture<>());
              return running.getLast();
            });
    await().atMost(SOON).until(() -> running.size() == 7);

    running.descendingIterator().forEachRemaining(end -> end.complete(null));

    awaitAcknowledged();
    assertThat(outcome("handled")).isEqualTo(7);
  }

  @Test
  void aHandlerThatOutlastsItsLockKeepsItsRecord() {
    broker.create(1);
    Duration lock = Duration.ofSeconds(6);
    lockFor(lock);
    long start = System.nanoTime();
    List<String> sent = fill(4);
    for (String name : List.of("queue", "queue-dead-letters")) {
      broker
          .factory(CONFIG, new SimpleMeterRegistry())
          .createConsumer(name, String.class)
          .subscribe(
              (value, context) -> {
                handled.add(value);
                hold(release);
              });
    }
    await().atMost(SOON).until(() -> handled.size() >= 2);

    await()
        .atMost(SOON)
        .until(() -> System.nanoTime() - start > lock.multipliedBy(5).dividedBy(2).toNanos());
    release.countDown();

    awaitAcknowledged();
    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
  }

  @Test
  void theRecordsOfAConsumerThatDiedComeToOthers() {
    broker.create(1);
    lockFor(Duration.ofSeconds(2));
    fill(10);
    try (KafkaShareConsumer<String, String> dead = neverAcknowledging()) {
      await().atMost(SOON).until(() -> !dead.poll(Duration.ofMillis(100)).isEmpty());
      another("queue")
          .subscribe((value, context) -> handled.add(value + "#" + context.deliveryCount()));

      awaitAcknowledged();
    }
    assertThat(handled).contains("v0#OptionalInt[2]").hasSize(10);
  }

  @Test
  void whatFailsIsTriedAgainAndThenGoesToTheDeadLetterTopic() {
    broker.create(1);
    List<String> sent = fill(3);
    broker
        .factory(CONFIG, registry)
        .createConsumer("queue-dead-letters", String.class)
        .subscribe(
            (value, context) -> {
              handled.add(value + "#" + context.attempt());
              if (value.equals("v1") || context.attempt() == 1) {
                throw new IllegalStateException("bad");
              }
            });

    awaitAcknowledged();

    assertThat(sent).hasSize(3);
    assertThat(handled)
        .containsExactlyInAnyOrder("v0#1", "v0#2", "v1#1", "v1#2", "v1#3", "v2#1", "v2#2");
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).hasSize(1);
    assertThat(outcome("handled")).isEqualTo(2);
    assertThat(outcome("dead-lettered")).isEqualTo(1);
  }

  @Test
  void withoutADeadLetterTopicTheConsumerStopsAndReleasesWhatItHas() {
    broker.create(1);
    lockFor(LONG_LOCK);
    List<String> sent = fill(4);
    MessageConsumer stopped =
        broker
            .factory(CONFIG, registry)
            .createConsumer("queue", String.class)
            .subscribe(
                (value, context) -> {
                  throw new IllegalStateException("bad");
                });
    await().atMost(SOON).until(() -> stopped.state() == ConsumerState.FAILED);
    assertThat(stopped.failure().orElseThrow())
        .hasMessageContaining("which has no attempt left")
        .hasMessageContaining("It is released to its group; configure 'dead-letter'");

    another("queue").subscribe((value, context) -> handled.add(value));

    await().atMost(BEFORE_LOCK_ENDS).until(() -> handled.size() == 4);
    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
  }

  @Test
  void closeGivesBackAtOnceWhatHasNotStartedAndAcceptsWhatEnds() throws Exception {
    broker.create(1);
    lockFor(LONG_LOCK);
    fill(8);
    Queue<String> started = new ConcurrentLinkedQueue<>();
    MessageConsumer closing =
        another("queue")
            .subscribe(
                (value, context) -> {
                  started.add(value);
                  hold(release);
                });
    await().atMost(SOON).until(() -> started.size() == 2);

    CompletableFuture<Void> closed = CompletableFuture.runAsync(closing::close);
    another("queue").subscribe((value, context) -> handled.add(value));

    // While the other still waits for its two handlers.
    await().atMost(BEFORE_LOCK_ENDS).until(() -> handled.size() == 6);
    assertThat(closed).isNotDone();
    release.countDown();
    closed.get(SOON.toSeconds(), TimeUnit.SECONDS);
    awaitAcknowledged();
    assertThat(handled).doesNotContainAnyElementsOf(started).hasSize(6);
    assertThat(started).hasSize(2);
    assertThat(closing.state()).isEqualTo(ConsumerState.CLOSED);
  }

  @Test
  void aStuckHandlersRecordIsGivenBackWhenTheCloseIsOver() {
    broker.create(1);
    lockFor(LONG_LOCK);
    fill(1);
    CountDownLatch running = new CountDownLatch(1);
    MessageConsumer closing =
        another("queue-hurried")
            .subscribe(
                (value, context) -> {
                  running.countDown();
                  while (release.getCount() > 0) {
                    Thread.onSpinWait(); // Deaf to the interrupt.
                    Thread.interrupted();
                  }
                });
    await().atMost(SOON).until(() -> running.getCount() == 0);

    closing.close();
    another("queue").subscribe((value, context) -> handled.add(value));

    await().atMost(BEFORE_LOCK_ENDS).until(() -> handled.size() == 1);
    release.countDown();
    BrokerFixture.awaitNoThread("millrace-queue-hurried-");
  }

  @Test
  void aPausedConsumerLeavesTheRecordsToOthersAndComesBack() throws Exception {
    broker.create(1);
    lockFor(LONG_LOCK);
    Queue<String> mine = new ConcurrentLinkedQueue<>();
    MessageConsumer paused = another("queue").subscribe((value, context) -> mine.add(value));
    fill(10);
    await().atMost(SOON).until(() -> mine.size() == 10);

    paused.pause().get(SOON.toSeconds(), TimeUnit.SECONDS);
    fill(10);
    MessageConsumer other = another("queue").subscribe((value, context) -> handled.add(value));
    await().atMost(BEFORE_LOCK_ENDS).until(() -> handled.size() == 10);
    other.close();
    assertThat(mine).hasSize(10);
    assertThat(paused.explain().pausedSince()).isPresent();

    fill(10);
    paused.resume().get(SOON.toSeconds(), TimeUnit.SECONDS);
    awaitAcknowledged();
    assertThat(mine).hasSize(20);
  }

  @Test
  void batchesAreWhatOnePollReturns() {
    broker.create(1);
    List<String> sent = fill(20);
    broker
        .factory(CONFIG, registry)
        .createConsumer("queue", String.class)
        .subscribeBatch(records -> records.stream().map(BatchRecord::value).forEach(handled::add));

    awaitAcknowledged();

    assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
    assertThat(registry.get("millrace.consumer.batch.records").summary().max()).isGreaterThan(1);
  }

  /** All at once: both instances on one executor, and one record that hangs in it for ever. */
  @Test
  void severalInstancesOnAnExecutorGiveUpWhatHangs() {
    broker.create(1);
    List<String> sent = new ArrayList<>(fill(50));
    String hanging = sent.remove(7);
    ExecutorService executor = Executors.newFixedThreadPool(4);
    try {
      MessageConsumer consumer =
          broker
              .factory(CONFIG, registry)
              .createConsumer("queue-watched", String.class)
              .subscribe(
                  (value, context) -> {
                    if (value.equals(hanging)) {
                      new CountDownLatch(1).await(); // Until the watchdog interrupts it.
                    }
                    handled.add(value);
                  },
                  executor);

      awaitAcknowledged();

      assertThat(handled).containsExactlyInAnyOrderElementsOf(sent);
      assertThat(broker.read(broker.deadLetterTopic()).readAll())
          .extracting(record -> new String(record.value(), UTF_8))
          .containsExactly(hanging);
      assertThat(consumer.explain().instances())
          .extracting(ConsumerExplanation::consumer)
          .containsExactly("queue-watched-1", "queue-watched-2");
      assertThat(consumer.state()).isEqualTo(ConsumerState.RUNNING);
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void explainShowsWhatIsHeld() {
    broker.create(1);
    fill(1);
    MessageConsumer consumer =
        broker
            .factory(CONFIG, registry)
            .createConsumer("queue", String.class)
            .subscribe((value, context) -> hold(release));

    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(consumer.explain().toString())
                    .contains(broker.partition(0) + "@0, running for")
                    .contains("dev.millrace.BrokerFixture.hold("));
    assertThat(consumer.assignment()).containsExactly(broker.partition(0));
    assertThat(consumer.isHealthy()).isTrue();
  }

  @Test
  void whatNeedsPartitionsOfItsOwnIsRefused() {
    broker.create(1);
    PreparedConsumer<String> prepared =
        broker.factory(CONFIG).createConsumer("queue", String.class);
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> prepared.listener(new ConsumerListener() {}))
        .withMessageStartingWith("Consumer 'queue' has no use for a listener");

    MessageConsumer consumer = prepared.subscribe((value, context) -> {});

    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> consumer.seek(broker.partition(0), 0))
        .withMessageStartingWith("Consumer 'queue' can't seek: its mode is queue");
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> consumer.seekToTimestamp(List.of(broker.partition(0)), Instant.now()));
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> consumer.pause(List.of(broker.partition(0))))
        .withMessageContaining("use pause().");
  }

  /** A factory of its own, since it stands for a process of its own. */
  private PreparedConsumer<String> another(String name) {
    return broker.factory(CONFIG).createConsumer(name, String.class);
  }

  private KafkaShareConsumer<String, String> neverAcknowledging() {
    KafkaShareConsumer<String, String> consumer =
        new KafkaShareConsumer<>(
            Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "group.id",
                broker.group(),
                "share.acknowledgement.mode",
                "explicit"),
            new StringDeserializer(),
            new StringDeserializer());
    setOfGroup("share.auto.offset.reset", "earliest");
    consumer.subscribe(List.of(broker.topic()));
    return consumer;
  }

  private void lockFor(Duration time) {
    setOfGroup("share.record.lock.duration.ms", Long.toString(time.toMillis()));
  }

  private void setOfGroup(String name, String value) {
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, broker.group());
    try {
      kafka
          .admin()
          .incrementalAlterConfigs(
              Map.of(
                  group,
                  List.of(
                      new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET))))
          .all()
          .get();
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits until the brokers know of every record of the first partition that it has ended. */
  private void awaitAcknowledged() {
    await()
        .atMost(SOON)
        .until(
            () ->
                Optional.ofNullable(
                        kafka
                            .admin()
                            .listShareGroupOffsets(
                                Map.of(broker.group(), new ListShareGroupOffsetsSpec()))
                            .partitionsToOffsetInfo(broker.group())
                            .get()
                            .get(broker.partition(0)))
                    .flatMap(SharePartitionOffsetInfo::lag),
            lag -> lag.equals(Optional.of(0L)));
  }

  private double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }

  private List<String> fill(int count) {
    List<String> values = IntStream.range(0, count).mapToObj(i -> "v" + i).toList();
    for (int i = 0; i < count; i++) {
      broker.sendLater("k" + i, values.get(i));
    }
    broker.flush();
    return values;
  }
}
