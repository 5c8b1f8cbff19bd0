package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/** A consumer in its own process, whose handler fails now and then, and keys keep their order. */
public final class OrderedConsumer implements Worker {
  private static final double FAILING = 0.15;

  @Override
  public void run(WorkerContext test) throws Exception {
    Random random = new Random(test.name().hashCode() + test.life());
    AtomicLong handled = new AtomicLong();
    try (History history = History.write(test.historyFile(), test.name());
        KafkaFactory kafka = KafkaFactory.create(config(test))) {
      kafka
          .createConsumer("ordered", String.class)
          .subscribe(
              (value, context) -> {
                TopicPartition from = new TopicPartition(context.topic(), context.partition());
                history.started(from, context.offset(), context.key(), context.attempt());
                boolean fails = random.nextDouble() < FAILING;
                history.ended(
                    from,
                    context.offset(),
                    context.key(),
                    context.attempt(),
                    fails ? Outcome.FAILED : Outcome.HANDLED);
                test.progress(handled.incrementAndGet());
                if (fails) {
                  throw new IllegalStateException("out of stock");
                }
              });
      test.awaitStop();
    }
  }

  private static KafkaConfig config(WorkerContext test) {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: '%s' }
          consumers:
            ordered:
              topics: [%s]
              group-id: %s
              concurrency: 16
              on-missing-offset: earliest
              retry: { max-attempts: 1, topics: [300ms, 1s], keep-key-order: true }
              dead-letter: {}
              # So that a killed one's partitions soon go to others.
              properties: { session.timeout.ms: 6000 }
        """;
    return ConfigLoader.create()
        .parse(
            "test",
            yaml.formatted(test.argument("kafka"), test.argument("topic"), test.argument("group")));
  }
}
