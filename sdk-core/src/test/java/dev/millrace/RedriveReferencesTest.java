package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.TopicProbe;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Dead letters of which a part was left out come back as the records that they were made of. */
@KafkaTest
class RedriveReferencesTest {
  private static final String LEFT_OUT = "exception-message,exception-class,headers,value";
  private static final Redrive ALL = Redrive.of(DeadLetterFilter.all());

  private final BrokerFixture broker;
  private final KafkaCluster kafka;

  RedriveReferencesTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.kafka = kafka;
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void whatStandsWhereItCameFromComesBackAndNoOtherInItsPlace() throws Exception {
    broker.create(1);
    kafka.createTopic(broker.deadLetterTopic(), 1);
    RecordMetadata gone = sendRecord(0);
    RecordMetadata there = sendRecord(1);
    RecordMetadata other = sendRecord(2);
    RecordMetadata keyless = sendRecord(3);
    kafka
        .admin()
        .deleteRecords(Map.of(broker.partition(0), RecordsToDelete.beforeOffset(1)))
        .all()
        .get();
    reference("key-0", 0, gone.offset(), gone.timestamp(), LEFT_OUT);
    reference("key-1", 0, there.offset(), there.timestamp(), LEFT_OUT);
    reference("key-2", 0, other.offset(), other.timestamp() - 1, LEFT_OUT);
    reference("of another", 0, other.offset(), other.timestamp(), LEFT_OUT);
    reference(null, 0, other.offset(), other.timestamp(), LEFT_OUT);
    reference(null, 0, keyless.offset(), keyless.timestamp(), LEFT_OUT + ",key");
    reference("key-1", 0, 1_000, there.timestamp(), LEFT_OUT);
    reference("key-1", 7, there.offset(), there.timestamp(), LEFT_OUT);
    DeadLetters letters =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    references: { topics: ["${TOPIC}"], group-id: "${GROUP}", dead-letter: {} }
                """)
            .deadLetters("references");

    assertThat(letters.dryRun(ALL))
        .isEqualTo(new RedriveReport(true, 2, 0, 0, 6, 0, 0, Map.of("", 2L)));
    assertThat(letters.redrive(ALL))
        .isEqualTo(new RedriveReport(false, 2, 0, 0, 6, 0, 0, Map.of("", 2L)));

    List<ConsumerRecord<byte[], byte[]>> records =
        TopicProbe.of(kafka.bootstrapServers(), broker.topic(), IsolationLevel.READ_COMMITTED)
            .readAll();
    assertThat(records).hasSize(5);
    assertIsBack(records.get(3), 1);
    assertIsBack(records.get(4), 3);
    assertThat(letters.redrive(ALL))
        .isEqualTo(new RedriveReport(false, 0, 0, 0, 6, 0, 0, Map.of()));
  }

  private RecordMetadata sendRecord(int number) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(broker.topic(), 0, bytes("key-" + number), bytes("value-" + number));
    record.headers().add("trace", bytes("trace-" + number));
    return broker.send(record);
  }

  private void reference(
      @Nullable String key, int partition, long offset, long timestamp, String leftOut) {
    ProducerRecord<byte[], byte[]> letter =
        new ProducerRecord<>(
            broker.deadLetterTopic(), key == null ? null : bytes(key), new byte[0]);
    Map<String, String> headers =
        Map.of(
            DeadLetterHeaders.ORIGIN_TOPIC,
            broker.topic(),
            DeadLetterHeaders.ORIGIN_PARTITION,
            Integer.toString(partition),
            DeadLetterHeaders.ORIGIN_OFFSET,
            Long.toString(offset),
            DeadLetterHeaders.ORIGIN_TIMESTAMP,
            Long.toString(timestamp),
            DeadLetterHeaders.GROUP,
            broker.group(),
            DeadLetterHeaders.TRIMMED,
            leftOut,
            DeadLetterHeaders.REFERENCE,
            "true");
    headers.forEach((name, text) -> letter.headers().add(name, bytes(text)));
    broker.send(letter);
  }

  /** As it was, with the mark. */
  private void assertIsBack(ConsumerRecord<byte[], byte[]> record, int number) {
    assertThat(record.key()).isEqualTo(bytes("key-" + number));
    assertThat(record.value()).isEqualTo(bytes("value-" + number));
    Map<String, String> headers = new HashMap<>();
    for (Header header : record.headers()) {
      headers.put(header.key(), new String(header.value(), UTF_8));
    }
    assertThat(headers)
        .containsEntry("trace", "trace-" + number)
        .containsEntry(DeadLetterHeaders.ORIGIN_OFFSET, Integer.toString(number))
        .containsEntry(DeadLetterHeaders.REDRIVE_GROUP, broker.group())
        .containsEntry(DeadLetterHeaders.REDRIVES, "1")
        .doesNotContainKeys(DeadLetterHeaders.TRIMMED, DeadLetterHeaders.REFERENCE);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
