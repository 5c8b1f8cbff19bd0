package dev.millrace.examples.testing;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.worker.KillPoints;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/** The service under test, in a process of its own. */
public final class StockService implements Worker {
  @Override
  public void run(WorkerContext test) throws Exception {
    AtomicLong handled = new AtomicLong();
    try (History history = History.write(test.historyFile(), test.name());
        KafkaFactory factory = KafkaFactory.create(config(test))) {
      factory
          .createConsumer("order-consumer", String.class)
          .subscribe(
              (order, context) -> {
                TopicPartition from = new TopicPartition(context.topic(), context.partition());
                history.started(from, context.offset(), context.key());
                Thread.sleep(10); // where the service does its work
                history.ended(from, context.offset(), context.key(), Outcome.HANDLED);
                test.killPoint(KillPoints.AFTER_HANDLER);
                test.progress(handled.incrementAndGet());
              });
      test.ready();
      test.awaitStop();
    }
  }

  private static KafkaConfig config(WorkerContext test) {
    return ConfigLoader.create()
        .environment(Map.of("KAFKA", test.argument("kafka")))
        .parse(
            "test.yaml",
            """
            kafka:
              common: { bootstrap-servers: "${KAFKA}" }
              consumers:
                order-consumer:
                  topics: [orders]
                  group-id: stock
                  concurrency: 16
                  # The next life takes the killed one's place at once; and one that lives is
                  # never taken for dead, however busy the machine.
                  group-instance-id: stock
                  properties: { session.timeout.ms: 60000 }
            """);
  }
}
