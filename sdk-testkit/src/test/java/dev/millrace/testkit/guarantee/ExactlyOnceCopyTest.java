package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultProxy;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.Requests;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A plain transactional copy, behind a proxy that loses and holds the ends of transactions. */
class ExactlyOnceCopyTest {
  private static final TopicPartition IN = new TopicPartition("in", 0);
  private static final Duration LONG = Duration.ofSeconds(60);

  @Test
  void aCopyThatLosesAnswersIsExactAndOneThatHangsIsNotUntilItsEndArrives(@TempDir Path folder) {
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).proxied().start()) {
      kafka.createTopic("in", 1);
      kafka.createTopic("out", 1);
      FaultProxy proxy = kafka.node(1).proxy();
      Path file = folder.resolve("copier.jsonl");
      try (History history = History.write(file, "copier");
          Copier copier = new Copier(kafka, history)) {
        fill(kafka, 0, 100);
        FaultRule lostOffsets =
            proxy.dropResponse(Requests.of(ApiKeys.TXN_OFFSET_COMMIT).first(1), Afterwards.CUT);
        FaultRule lostEnd =
            proxy.dropResponse(Requests.of(ApiKeys.END_TXN).first(1), Afterwards.CUT);
        history.faultBegan("lost answers");
        copier.copyUntil(100);
        lostOffsets.awaitHit(LONG);
        lostEnd.awaitHit(LONG);
        proxy.heal();
        history.faultHealed("lost answers");
        fill(kafka, 100, 150);
        copier.copyUntil(150);

        await().atMost(LONG).untilAsserted(() -> check(kafka, file).assertHolds());

        fill(kafka, 150, 151);
        FaultRule held = proxy.hold(Requests.of(ApiKeys.END_TXN));
        assertThatThrownBy(() -> copier.copyUntil(151)).isInstanceOf(TimeoutException.class);
        Report whileHeld = check(kafka, file);
        System.out.println("while the end of a transaction is held:\n" + whileHeld);
        assertThat(whileHeld.named(Status.VIOLATED))
            .contains("exactly-once copy", "transactions closed");
        held.release();
      }

      await().atMost(LONG).untilAsserted(() -> check(kafka, file).assertHolds());
    }
  }

  private static Report check(KafkaCluster kafka, Path file) {
    TopicProbe in = TopicProbe.of(kafka.directServers(), "in");
    TopicProbe out = TopicProbe.of(kafka.directServers(), "out");
    return Guarantee.checkAll(
        Evidence.builder()
            .history(file)
            .source("in", in.readAll())
            .sink("out", out.readAll())
            .offsets(in.offsets())
            .offsets(out.offsets())
            .openTransactions(out.openTransactions())
            .commits(GroupProbe.of(kafka.directServers(), "copy", "in").commits())
            .build(),
        Guarantee.exactlyOnceCopy("in", "out"),
        Guarantee.transactionsClosed(),
        Guarantee.commitsMonotonic(),
        Guarantee.drainedAfterHeal(Duration.ofMinutes(10)));
  }

  private static void fill(KafkaCluster kafka, int from, int to) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.directServers()),
            new StringSerializer(),
            new StringSerializer())) {
      for (int number = from; number < to; number++) {
        var unused = producer.send(new ProducerRecord<>("in", "k-" + number % 10, "v-" + number));
      }
    }
  }

  /** Reads some, writes them and their offsets in one transaction, again. */
  private static final class Copier implements AutoCloseable {
    private final History history;
    private final KafkaConsumer<String, String> consumer;
    private final KafkaProducer<String, String> producer;

    Copier(KafkaCluster kafka, History history) {
      this.history = history;
      Map<String, Object> reading = new HashMap<>();
      reading.put("bootstrap.servers", kafka.bootstrapServers());
      reading.put("group.id", "copy");
      reading.put("auto.offset.reset", "earliest");
      reading.put("isolation.level", "read_committed");
      reading.put("enable.auto.commit", "false");
      reading.put("max.poll.records", "20");
      consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer());
      consumer.subscribe(List.of("in"), history.recording());
      Map<String, Object> writing = new HashMap<>();
      writing.put("bootstrap.servers", kafka.bootstrapServers());
      writing.put("transactional.id", "copier");
      writing.put("request.timeout.ms", "3000");
      writing.put("transaction.timeout.ms", "600000");
      writing.put("linger.ms", "0");
      // After this it gives an end up; a slow machine needs some of it for all other calls.
      writing.put("max.block.ms", "10000");
      producer = new KafkaProducer<>(writing, new StringSerializer(), new StringSerializer());
      producer.initTransactions();
    }

    void copyUntil(long offset) {
      long next = 0;
      while (next < offset) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
        if (records.isEmpty()) {
          continue;
        }
        producer.beginTransaction();
        for (ConsumerRecord<String, String> record : records) {
          history.started(record);
          var unused = producer.send(new ProducerRecord<>("out", record.key(), record.value()));
          history.ended(record, Outcome.HANDLED);
        }
        producer.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata());
        producer.commitTransaction();
        history.committed(records.nextOffsets());
        next = records.nextOffsets().get(IN).offset();
      }
    }

    @Override
    public void close() {
      producer.close(Duration.ZERO);
      consumer.close();
    }
  }
}
