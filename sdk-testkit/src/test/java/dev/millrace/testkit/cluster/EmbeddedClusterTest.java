package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddedClusterTest {
  private KafkaCluster kafka;

  @BeforeAll
  void start() {
    kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start();
  }

  @AfterAll
  void close() {
    kafka.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void deliversToAGroupOfEitherProtocol(String protocol) throws Exception {
    String topic = "plain-" + protocol;
    kafka.createTopic(topic, 2);
    try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      producer.send(new ProducerRecord<>(topic, "k", "v")).get();
    }

    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", protocol, "group.protocol", protocol))) {
      consumer.subscribe(List.of(topic));
      assertThat(Clients.values(() -> consumer.poll(Duration.ofMillis(100)), 1))
          .containsExactly("v");
    }
  }

  /** Prints it; how long is a matter of the machine. */
  @Test
  void tellsWhatTheFirstOneOfAJvmTakes(@TempDir Path folder) throws Exception {
    Path output = folder.resolve("output");
    try (ChildJvm jvm =
        ChildJvm.start("cold start", ColdStart.class, List.of(), List.of(), Map.of(), output)) {
      assertThat(jvm.awaitExit(Duration.ofSeconds(150))).isTrue();
      assertThat(jvm.exitValue()).as(jvm.outputTail()).isZero();
    }
    String told =
        Files.readAllLines(output).stream()
            .filter(line -> line.startsWith("The first embedded broker"))
            .findFirst()
            .orElseThrow();
    System.out.println(told);
  }

  @Test
  void commitsATransactionAndHidesAnAbortedOne() throws Exception {
    kafka.createTopic("transactions", 1);
    try (KafkaProducer<String, String> producer =
        Clients.producer(kafka, Map.of("transactional.id", "t"))) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("transactions", "aborted")).get();
      producer.abortTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("transactions", "committed")).get();
      producer.commitTransaction();
    }

    try (KafkaConsumer<String, String> consumer =
        Clients.consumer(kafka, Map.of("group.id", "t", "isolation.level", "read_committed"))) {
      consumer.subscribe(List.of("transactions"));
      assertThat(Clients.values(() -> consumer.poll(Duration.ofMillis(100)), 1))
          .containsExactly("committed");
    }
  }

  @Test
  void sharesATopicsRecordsInAShareGroup() throws Exception {
    kafka.createTopic("shared", 1);
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "share");
    ConfigEntry fromTheStart = new ConfigEntry("share.auto.offset.reset", "earliest");
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(group, List.of(new AlterConfigOp(fromTheStart, AlterConfigOp.OpType.SET))))
        .all()
        .get();
    try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
      producer.send(new ProducerRecord<>("shared", "v")).get();
    }

    try (KafkaShareConsumer<String, String> consumer = Clients.shareConsumer(kafka, "share")) {
      consumer.subscribe(List.of("shared"));
      assertThat(Clients.values(() -> consumer.poll(Duration.ofMillis(100)), 1))
          .containsExactly("v");
    }
  }

  @Test
  void createsAndDeletesTopicsForEverybodyToSee() {
    kafka.createTopic("short-lived", 3, Map.of("cleanup.policy", "compact"));
    assertThat(kafka.topicNames()).contains("short-lived");
    assertThatThrownBy(() -> kafka.createTopic("short-lived", 1))
        .isInstanceOf(TestKitException.class)
        .hasCauseInstanceOf(TopicExistsException.class);

    kafka.deleteTopic("short-lived");
    kafka.deleteTopic("short-lived");

    assertThat(kafka.topicNames()).doesNotContain("short-lived");
  }

  /** Retention would delete them now and then, and a test that finds them in most runs is red. */
  @Test
  void keepsRecordsHoweverOldTheySayTheyAre() throws Exception {
    try (KafkaCluster looking =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .property("log.retention.check.interval.ms", "50")
            .start()) {
      looking.createTopic("kept", 1);
      looking.createTopic("bounded", 1, Map.of("retention.ms", "1000"));
      try (KafkaProducer<String, String> producer = Clients.producer(looking, Map.of())) {
        sendOld(producer, "kept");
        // Two rounds: the second one has begun after the record was there, and has seen all topics.
        for (long deleted = 1; deleted <= 2; deleted++) {
          sendOld(producer, "bounded");
          long first = deleted;
          Awaitility.await()
              .atMost(Duration.ofSeconds(60))
              .until(() -> beginning(looking, "bounded") == first);
        }
      }
      assertThat(beginning(looking, "kept")).isZero();
    }
  }

  private static void sendOld(KafkaProducer<String, String> producer, String topic)
      throws Exception {
    long longAgo = Instant.parse("2024-02-29T12:00:00Z").toEpochMilli();
    producer.send(new ProducerRecord<>(topic, 0, longAgo, "k", "v")).get();
  }

  private static long beginning(KafkaCluster kafka, String topic) throws Exception {
    TopicPartition partition = new TopicPartition(topic, 0);
    return kafka
        .admin()
        .listOffsets(Map.of(partition, OffsetSpec.earliest()))
        .partitionResult(partition)
        .get()
        .offset();
  }
}
