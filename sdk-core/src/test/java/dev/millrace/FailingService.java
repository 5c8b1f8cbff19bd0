package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/**
 * A consumer whose handler fails as each record says, in a process of its own that is made to be
 * killed, or as one more member of its group. Its history has what it has tried and handled.
 */
public final class FailingService implements Worker {

  /**
   * What a record holds.
   *
   * @param number which one it is
   * @param failures at how many attempts its handler fails, in all topics together
   */
  record Message(int number, int failures) {}

  @Override
  public void run(WorkerContext test) throws Exception {
    AtomicLong attempts = new AtomicLong();
    try (History history = History.write(test.historyFile(), test.name());
        KafkaFactory kafka = KafkaFactory.create(config(test.argument("config"), test.name()))) {
      MessageConsumer consumer =
          start(
              kafka,
              test.argument("out"),
              history,
              new ConsumerListener() {},
              () -> test.progress(attempts.incrementAndGet()));
      // One that ends by itself fails its process, too.
      while (!test.stopRequested() && !consumer.awaitClosed(Duration.ofMillis(100))) {
        // Not yet.
      }
    }
  }

  /**
   * Starts the consumer.
   *
   * @param out where its handler sends each message that it gets; empty for nowhere
   * @param tried told of each attempt
   */
  static MessageConsumer start(
      KafkaFactory kafka, String out, History history, ConsumerListener listener, Runnable tried) {
    return kafka
        .createConsumer("failing", Message.class)
        .listener(listener)
        .subscribe(
            (message, context) -> {
              TopicPartition origin = new TopicPartition(context.topic(), context.partition());
              history.started(origin, context.offset(), context.key(), context.attempt());
              tried.run();
              if (!out.isEmpty()) {
                // What a failed attempt has sent must be seen nowhere.
                context.send(out, context.key(), message);
              }
              TimeUnit.MILLISECONDS.sleep(4);
              if (context.attempt() <= message.failures()) {
                throw new IllegalStateException("out of stock");
              }
              history.ended(
                  origin, context.offset(), context.key(), context.attempt(), Outcome.HANDLED);
            });
  }

  /** Reads YAML in which {@code MEMBER} is the process's own name. */
  static KafkaConfig config(String yaml, String member) {
    return ConfigLoader.create().parse(member, yaml.replace("MEMBER", member));
  }
}
