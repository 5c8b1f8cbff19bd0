package dev.millrace.examples.testing;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.fault.FaultPlan;
import dev.millrace.testkit.fault.FaultRun;
import dev.millrace.testkit.fault.Targets;
import dev.millrace.testkit.fault.WorkerFaults;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.guarantee.Report;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class KilledServiceTest {
  @Test
  @Timeout(400)
  void killedAgainAndAgainItLosesNothingAndKeepsTheOrder() {
    try (KafkaCluster kafka = KafkaCluster.start()) {
      kafka.createTopic("orders", 4);
      fill(kafka);
      try (WorkerProcess service =
          WorkerProcess.of(StockService.class)
              .argument("kafka", kafka.bootstrapServers())
              .start()) {
        service.awaitReady(Duration.ofSeconds(60));
        FaultRun.of(
                FaultPlan.lasting(Duration.ofSeconds(8))
                    .gap(Duration.ofSeconds(1), Duration.ofSeconds(2))
                    .fault(
                        "kill",
                        1,
                        Targets.of("service", 1),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500))
                    .anySchedule())
            .fault("kill", target -> WorkerFaults.kill(service, Duration.ofSeconds(60)))
            .load("handled orders", service::progress)
            .guarantees("stock", () -> guarantees(kafka, service))
            .run()
            .requirePass();
      }
    }
  }

  private static Report guarantees(KafkaCluster kafka, WorkerProcess service) {
    GroupProbe stock = GroupProbe.of(kafka.directServers(), "stock", "orders");
    TopicProbe orders = TopicProbe.of(kafka.directServers(), "orders");
    stock.awaitLagZero(Duration.ofMinutes(2));
    Evidence evidence =
        Evidence.builder()
            .history(service.historyFiles().toArray(Path[]::new))
            .source("orders", orders.readAll())
            .commits(stock.commits())
            .offsets(orders.offsets())
            .build();
    return Guarantee.checkAll(
        evidence,
        Guarantee.noLoss(),
        Guarantee.orderPerKey(),
        Guarantee.noOverlapPerKey(),
        Guarantee.boundedRedo(2_000),
        Guarantee.commitsJustified(),
        Guarantee.commitsMonotonic());
  }

  private static void fill(KafkaCluster kafka) {
    try (KafkaFactory factory =
            KafkaFactory.create(
                ConfigLoader.create()
                    .parse(
                        "test.yaml",
                        "kafka: { common: { bootstrap-servers: '%s' }, producers: { orders: { topics: [orders] } } }"
                            .formatted(kafka.bootstrapServers())));
        MessageProducer<String> orders = factory.createProducer("orders", String.class)) {
      List<CompletableFuture<?>> sent = new ArrayList<>();
      for (int i = 0; i < 20_000; i++) {
        sent.add(orders.send("customer-" + i % 500, "o-" + i));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();
    }
  }
}
