package dev.millrace.benchmarks;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.PreparedConsumer;

/** Millrace, as a service uses it. */
final class MillraceConsumer implements Contender {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "%s" }
        consumers:
          contender:
            topics: [%s]
            group-id: %s
            concurrency: %d
            handler-threads: %s
            commit-interval: %dms
            properties: { max.partition.fetch.bytes: %d, session.timeout.ms: %d }
      """;

  @Override
  public Running start(Workload workload, Source source, Handling handling) {
    String config =
        CONFIG.formatted(
            source.brokers(),
            source.topic(),
            source.group(),
            workload.permits(),
            workload.isAsynchronous() ? "platform" : workload.threads(),
            workload.commitMillis(),
            workload.fetchBytes(),
            SESSION_TIMEOUT_MILLIS);
    KafkaFactory kafka = KafkaFactory.create(ConfigLoader.create().parse("benchmark", config));
    PreparedConsumer<byte[]> consumer = kafka.createConsumer("contender");
    if (workload.isAsynchronous()) {
      consumer.subscribeAsync((value, context) -> handling.begin(value));
    } else {
      consumer.subscribe((value, context) -> handling.handle(context.offset(), value));
    }
    return kafka::close;
  }
}
