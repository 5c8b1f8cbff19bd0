package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/**
 * A consumer in its own process, made to be killed. Until the life that is to finish the work, the
 * first record of each partition may hang in its handler.
 */
public final class KillableConsumer implements Worker {
  @Override
  public void run(WorkerContext test) throws Exception {
    boolean firstRecordsHang = test.life() <= Integer.parseInt(test.argument("lives-that-hang"));
    AtomicLong handled = new AtomicLong();
    try (History history = History.write(test.historyFile(), test.name());
        KafkaFactory kafka = KafkaFactory.create(config(test))) {
      kafka
          .createConsumer("killable", String.class)
          .subscribe(
              (value, context) -> {
                TopicPartition from = new TopicPartition(context.topic(), context.partition());
                history.started(from, context.offset(), context.key());
                if (firstRecordsHang && context.offset() == 0) {
                  new CountDownLatch(1).await();
                }
                TimeUnit.MILLISECONDS.sleep(5);
                history.ended(from, context.offset(), context.key(), Outcome.HANDLED);
                test.progress(handled.incrementAndGet());
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
            killable:
              topics: [%s]
              group-id: %s
              concurrency: 16
              # The next life takes the killed one's place at once; and one that lives is never
              # taken for dead, however busy the machine: its records would be handled again.
              group-instance-id: killable
              delivery-semantics: %s
              on-missing-offset: earliest
              properties: { session.timeout.ms: 60000 }
        """;
    return ConfigLoader.create()
        .parse(
            "test",
            yaml.formatted(
                test.argument("kafka"),
                test.argument("topic"),
                test.argument("group"),
                test.argument("semantics")));
  }
}
