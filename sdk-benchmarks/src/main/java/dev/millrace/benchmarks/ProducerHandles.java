package dev.millrace.benchmarks;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Gets a handle on a producer and closes it, again and again, while another one is held. */
final class ProducerHandles implements Contender {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "%s" }
        producers:
          contender: { topics: [%s] }
      """;

  @Override
  public Running start(Workload workload, Source source, Handling handling) {
    KafkaFactory kafka =
        KafkaFactory.create(
            ConfigLoader.create()
                .parse("benchmark", CONFIG.formatted(source.brokers(), source.topic())));
    MessageProducer<Object> held = kafka.createProducer("contender");
    ExecutorService thread = Executors.newSingleThreadExecutor();
    var loop =
        thread.submit(
            () -> {
              for (int n = 0; n < handling.records(); n++) {
                kafka.createProducer("contender").close();
                handling.waitOnly(n);
              }
              return null;
            });
    return () -> {
      loop.get();
      thread.shutdown();
      held.close();
      kafka.close();
    };
  }
}
