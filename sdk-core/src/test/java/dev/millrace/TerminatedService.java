package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.util.concurrent.CountDownLatch;

/**
 * A service in its own process, made to be terminated while its handler runs: that ends only after
 * the shutdown has begun.
 */
public final class TerminatedService implements Worker {
  @Override
  public void run(WorkerContext test) throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch shuttingDown = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(shuttingDown::countDown));
    String yaml =
        "kafka: { common: { bootstrap-servers: '%s' }, consumers: { terminated: { topics: [%s], group-id: %s } } }"
            .formatted(test.argument("kafka"), test.argument("topic"), test.argument("group"));
    KafkaFactory kafka =
        KafkaFactory.builder().closeOnShutdown().create(ConfigLoader.create().parse("test", yaml));
    kafka
        .createConsumer("terminated", String.class)
        .subscribe(
            (value, context) -> {
              running.countDown();
              test.ready();
              shuttingDown.await();
            });
    if (test.argument("closes-itself").equals("true")) {
      running.await();
      // Waits for the handler, and so is in the midst of it when the JVM is terminated.
      kafka.close();
    }
    test.awaitStop();
  }
}
