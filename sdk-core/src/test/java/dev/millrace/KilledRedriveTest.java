package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultProxy;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.Requests;
import dev.millrace.testkit.worker.WorkerExit;
import dev.millrace.testkit.worker.WorkerProcess;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A redrive's process is killed where it hurts, and started again: each record comes back once for
 * the group that gave it up, and none for another one.
 */
class KilledRedriveTest {
  static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers: { retry: { max-attempts: 1 }, properties: { isolation.level: read_committed } }
        consumers:
          failing: { topics: ["${TOPIC}"], group-id: "${GROUP}", dead-letter: {} }
          other: { topics: ["${TOPIC}"], group-id: "${GROUP}-other" }
      """;

  private static final int RECORDS = Integer.getInteger("millrace.redrive.records", 1_000);
  private static final int KEYS = 50;
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final String TOPIC = "orders";
  private static final String GROUP = "orders";

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Map<String, Integer> before = new ConcurrentHashMap<>();
  private final Map<String, Integer> after = new ConcurrentHashMap<>();
  private final Map<String, Integer> others = new ConcurrentHashMap<>();
  private volatile boolean fails = true;

  @Timeout(600)
  @Test
  void eachRecordComesBackOnce() {
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).proxied().start();
        KafkaFactory factory = factory(kafka)) {
      kafka.createTopic(TOPIC, 4);
      publish(kafka);
      start(factory);
      TopicProbe dead = TopicProbe.of(kafka.directServers(), TOPIC + "." + GROUP + ".dlq");
      await().atMost(LONG).until(() -> before.size() == RECORDS && others.size() == RECORDS);
      dead.awaitCount(RECORDS, LONG);
      fails = false;

      FaultProxy proxy = kafka.node(1).proxy();
      try (WorkerProcess redrive = redrive(kafka)) {
        // The records are in the log, the commit has not arrived; it comes too late for a later
        // one.
        awaitProgress(redrive, RECORDS / 5);
        FaultRule late = proxy.hold(ends().first(1));
        late.awaitHit(LONG);
        redrive.kill();
        late.awaitClientsLeft(LONG);
        redrive.restart();
        awaitProgress(redrive, 2 * RECORDS / 5);
        late.release();
        // All is committed, but nobody has been told.
        FaultRule lost = proxy.dropResponse(ends().first(1), Afterwards.SILENT);
        lost.awaitHit(LONG);
        redrive.kill();
        redrive.restart();
        // Anywhere.
        awaitProgress(redrive, 3 * RECORDS / 5);
        redrive.kill();
        redrive.restart();
        assertThat(redrive.awaitExit(LONG).state()).isEqualTo(WorkerExit.State.ENDED);
      }

      assertRedrivenOnce(kafka);
      await()
          .atMost(LONG)
          .untilAsserted(
              () -> {
                assertThat(after).hasSize(RECORDS);
                assertThat(ended("other", "skipped")).isEqualTo(RECORDS);
              });
      assertThat(after.values()).containsOnly(1);
      assertThat(others).hasSize(RECORDS);
      assertThat(others.values()).containsOnly(1);
      assertThat(ended("failing", "skipped")).isZero();
      assertThat(factory.deadLetters("failing").list(DeadLetterFilter.all(), 1)).isEmpty();
      System.out.printf(
          "%d dead letters, 3 kills: each redriven once, handled once by its group, passed over"
              + " by the other%n",
          RECORDS);
    }
  }

  private KafkaFactory factory(KafkaCluster kafka) {
    return KafkaFactory.builder()
        .meterRegistry(registry)
        .create(
            ConfigLoader.create()
                .environment(
                    Map.of("BROKERS", kafka.directServers(), "TOPIC", TOPIC, "GROUP", GROUP))
                .clientSettings(ClientProperties.knownNames())
                .parse("test.yaml", CONFIG));
  }

  private void start(KafkaFactory factory) {
    factory
        .createConsumer("failing", String.class)
        .subscribe(
            (text, context) -> {
              if (fails) {
                before.merge(text, 1, Integer::sum);
                throw new IllegalStateException("out of stock");
              }
              after.merge(text, 1, Integer::sum);
            });
    factory
        .createConsumer("other", String.class)
        .subscribe((text, context) -> others.merge(text, 1, Integer::sum));
  }

  private static void publish(KafkaCluster kafka) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.directServers()),
            new StringSerializer(),
            new StringSerializer())) {
      IntStream.range(0, RECORDS)
          .mapToObj(i -> producer.send(new ProducerRecord<>(TOPIC, "key-" + i % KEYS, "v" + i)))
          .toList()
          .forEach(
              sent -> {
                try {
                  sent.get();
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
              });
    }
  }

  /** About twenty transactions. */
  private static WorkerProcess redrive(KafkaCluster kafka) {
    return WorkerProcess.of(KillableRedrive.class)
        .jvmOption("-Xmx256m")
        .jvmOption("-XX:TieredStopAtLevel=1")
        .argument("brokers", kafka.bootstrapServers())
        .argument("topic", TOPIC)
        .argument("group", GROUP)
        .argument("per-second", Integer.toString(RECORDS / 2))
        .start();
  }

  private static void awaitProgress(WorkerProcess redrive, long records) {
    await().atMost(LONG).until(() -> redrive.progress() >= records || !redrive.isAlive());
    assertThat(redrive.isAlive()).as("is still at it: %s", redrive.outputTail()).isTrue();
  }

  private static Requests ends() {
    return Requests.of(ApiKeys.END_TXN).fromClient("failing-redrive");
  }

  private static void assertRedrivenOnce(KafkaCluster kafka) {
    List<String> back =
        TopicProbe.of(kafka.directServers(), TOPIC).readAll().stream()
            .filter(record -> record.headers().lastHeader(DeadLetterHeaders.REDRIVES) != null)
            .map(record -> new String(record.value(), UTF_8))
            .toList();
    assertThat(back).hasSize(RECORDS).doesNotHaveDuplicates();
  }

  private double ended(String consumer, String outcome) {
    return registry
        .get("millrace.consumer.records")
        .tag("consumer", consumer)
        .tag("outcome", outcome)
        .counter()
        .count();
  }
}
