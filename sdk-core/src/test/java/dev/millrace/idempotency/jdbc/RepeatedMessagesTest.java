package dev.millrace.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Each message is in the topic twice, close together but under other keys, so that two of eight
 * instances in two processes get it at about the same time; and each process is killed once in the
 * middle. {@code -Dmillrace.repeated=50000} is the long form.
 */
@KafkaTest
@ExtendWith(DatabasesExtension.class)
class RepeatedMessagesTest {
  private static final int MESSAGES = Integer.getInteger("millrace.repeated", 2_000);
  private static final int APART = 20;
  private static final int INSTANCES = 8;
  private static final Duration GENEROUS =
      Duration.ofSeconds(150).plus(Duration.ofMillis(30L * MESSAGES));

  @Timeout(3600)
  @Test
  void eachHasOneEffect(KafkaCluster kafka, TestTopics topics, Databases databases)
      throws Exception {
    String topic = topics.create("messages", INSTANCES);
    String group = topics.groupId("effects");
    GroupProbe progress = GroupProbe.of(kafka.directServers(), group, topic);
    Databases.execute(databases.postgres(), "CREATE TABLE effects (message VARCHAR(50))");

    try (WorkerProcess first = start(kafka, topic, group, databases, "first");
        WorkerProcess second = start(kafka, topic, group, databases, "second")) {
      // Or one of them has done all before the other has joined.
      awaitMembers(kafka, group);
      publishTwice(kafka, topic);
      int kills = 0;
      for (WorkerProcess victim : List.of(first, second)) {
        long enough = (long) ++kills * MESSAGES / 3;
        await().atMost(GENEROUS).until(() -> effects(databases, "*") >= enough);
        await().atMost(GENEROUS).until(() -> victim.progress() > 0);
        victim.kill();
        victim.restart();
      }
      progress.awaitLagZero(GENEROUS);
    }

    System.out.printf(
        "%d messages, each twice, 8 instances in 2 processes, 2 kills: %d effects%n",
        MESSAGES, effects(databases, "*"));
    assertThat(effects(databases, "DISTINCT message")).isEqualTo(MESSAGES);
    assertThat(effects(databases, "*")).isEqualTo(MESSAGES);
  }

  private static long effects(Databases databases, String counted) throws Exception {
    return Databases.number(databases.postgres(), "SELECT COUNT(" + counted + ") FROM effects");
  }

  private static void awaitMembers(KafkaCluster kafka, String group) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.directServers()))) {
      await()
          .atMost(GENEROUS)
          .ignoreExceptionsInstanceOf(ExecutionException.class) // The group is not there yet.
          .until(
              () ->
                  admin
                      .describeConsumerGroups(List.of(group))
                      .describedGroups()
                      .get(group)
                      .get()
                      .members()
                      .stream()
                      .filter(member -> !member.assignment().topicPartitions().isEmpty())
                      .count(),
              holders -> holders == INSTANCES);
    }
  }

  private static WorkerProcess start(
      KafkaCluster kafka, String topic, String group, Databases databases, String name) {
    return WorkerProcess.of(EffectsWorker.class)
        .name(name)
        .jvmOption("-Xmx256m")
        .jvmOption("-XX:TieredStopAtLevel=1")
        .argument("kafka", kafka.bootstrapServers())
        .argument("topic", topic)
        .argument("group", group)
        .argument("database", databases.postgresUrl())
        .start();
  }

  private static void publishTwice(KafkaCluster kafka, String topic) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new StringSerializer(),
            new StringSerializer())) {
      for (int i = 0; i < MESSAGES + APART; i++) {
        if (i < MESSAGES) {
          send(producer, topic, "first-", i);
        }
        if (i >= APART) {
          send(producer, topic, "again-", i - APART);
        }
      }
      producer.flush();
    }
  }

  private static void send(
      KafkaProducer<String, String> producer, String topic, String key, int message) {
    ProducerRecord<String, String> record =
        new ProducerRecord<>(topic, key + message, "message-" + message);
    byte[] id = Integer.toString(message).getBytes(StandardCharsets.UTF_8);
    record.headers().add(new RecordHeader("message-id", id));
    var unused = producer.send(record);
  }
}
