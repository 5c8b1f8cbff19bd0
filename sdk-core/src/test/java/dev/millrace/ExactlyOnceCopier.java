package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A consumer that copies a topic exactly once, in a process of its own that is made to be killed,
 * or as one more member of its group. Some records take longer than others, so that offsets alone
 * do not say all that is done.
 */
public final class ExactlyOnceCopier implements Worker {
  private static final int SLOW_EACH = 50;

  @Override
  public void run(WorkerContext test) throws Exception {
    AtomicLong handled = new AtomicLong();
    try (KafkaFactory kafka =
        KafkaFactory.create(config(test.argument("config"), test.name(), test.life()))) {
      MessageConsumer consumer =
          start(
              kafka,
              test.argument("out"),
              test.life() <= Integer.parseInt(test.argument("lives-that-hang")),
              new ConsumerListener() {},
              () -> test.progress(handled.incrementAndGet()));
      test.ready();
      // One that ends by itself fails its process, too.
      while (!test.stopRequested() && !consumer.awaitClosed(Duration.ofMillis(100))) {
        // Not yet.
      }
    }
  }

  /**
   * Starts a consumer that copies.
   *
   * @param firstHang whether the first record of each partition stays in its handler
   */
  static MessageConsumer start(
      KafkaFactory kafka,
      String out,
      boolean firstHang,
      ConsumerListener listener,
      Runnable handled) {
    return kafka
        .createConsumer("copy", String.class)
        .listener(listener)
        .subscribe(
            (value, context) -> {
              context.send(out, context.key(), value);
              if (firstHang && context.offset() == 0) {
                new CountDownLatch(1).await();
              }
              TimeUnit.MILLISECONDS.sleep(context.offset() % SLOW_EACH == 0 ? 50 : 3);
              handled.run();
            });
  }

  /** Reads YAML in which {@code MEMBER} is the process's own name. */
  static KafkaConfig config(String yaml, String member, int life) {
    return ConfigLoader.create().parse(member + ", life " + life, yaml.replace("MEMBER", member));
  }
}
