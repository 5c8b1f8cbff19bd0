package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.fault.Watchdog;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.worker.KillPoints;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class KillPointTest {
  @Test
  @Timeout(400)
  void killedAfterAHandlerAndStoppedForAWhileItLosesNothing(@TempDir Path folder) {
    try (KafkaCluster kafka = KafkaCluster.start()) {
      kafka.createTopic("orders", 1);
      Path sent = folder.resolve("producer.jsonl");
      fill(kafka, sent);
      try (WorkerProcess service =
              WorkerProcess.of(StockService.class)
                  .argument("kafka", kafka.bootstrapServers())
                  .killAt(KillPoints.AFTER_HANDLER, 100)
                  .start();
          Watchdog watchdog =
              Watchdog.within(Duration.ofSeconds(60), folder.resolve("threads.txt"))
                  .watch(service)
                  .start()) {
        service.awaitExit(Duration.ofSeconds(60));
        assertThat(service.killPointReached()).isTrue();
        service.restart();
        long before = service.progress();
        await().atMost(Duration.ofSeconds(60)).until(() -> service.progress() > before);
        service.pause(); // SIGSTOP
        service.resume();

        GroupProbe stock = GroupProbe.of(kafka.directServers(), "stock", "orders");
        stock.awaitLagZero(Duration.ofSeconds(60));
        List<Commit> commits = stock.commits();
        TopicProbe orders = TopicProbe.of(kafka.directServers(), "orders");
        orders.await("all orders", records -> records.size() == 1_000, Duration.ofSeconds(60));
        Evidence evidence =
            Evidence.builder()
                .history(sent)
                .history(service.historyFiles().toArray(Path[]::new))
                .source("orders", orders.readAll())
                .offsets(orders.offsets())
                .openTransactions(orders.openTransactions())
                .commits(commits)
                .build();
        Guarantee.checkAll(
                evidence,
                Guarantee.ackedInLog(),
                Guarantee.noLoss(),
                Guarantee.orderPerKey(),
                Guarantee.boundedRedo(500),
                Guarantee.transactionsClosed())
            .assertHolds();
        assertThat(watchdog.findings()).isEmpty();
      }
    }
  }

  /** A plain producer that writes down what was acknowledged. */
  private static void fill(KafkaCluster kafka, Path file) {
    try (History history = History.write(file, "producer");
        KafkaProducer<String, String> producer =
            new KafkaProducer<>(
                kafka.clientProperties(), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < 1_000; i++) {
        ProducerRecord<String, String> order =
            new ProducerRecord<>("orders", "customer-" + i % 50, "o-" + i);
        var unused =
            producer.send(
                order,
                (metadata, failure) -> {
                  if (failure == null) {
                    history.acked(order, metadata);
                  } else {
                    history.sendUnknown(order, failure);
                  }
                });
      }
      producer.flush();
    }
  }
}
