package dev.millrace.benchmarks;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordHandler;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.function.ToIntFunction;

/**
 * Millrace, as a service uses it; or with commits as rare as nobody would have them; or with a
 * handler that fails.
 */
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
            delivery-semantics: %s
            %s
            %s
            properties: { max.partition.fetch.bytes: %d, session.timeout.ms: %d }
      """;

  private final ToIntFunction<Workload> commitMillis;
  private final boolean fails;

  /**
   * @param fails whether the first records of keys that are to rest fail
   */
  MillraceConsumer(ToIntFunction<Workload> commitMillis, boolean fails) {
    this.commitMillis = commitMillis;
    this.fails = fails;
  }

  @Override
  public Running start(Workload workload, Source source, Handling handling) {
    String config =
        CONFIG.formatted(
            source.brokers(),
            source.topic(),
            source.group(),
            workload.permits(),
            workload.isAsynchronous() ? "platform" : workload.threads(),
            commitMillis.applyAsInt(workload),
            workload.scenario() == Workload.Scenario.COPY ? "exactly-once" : "at-least-once",
            workload.capacity() > 0 ? "channel-capacity: " + workload.capacity() : "",
            workload.backoffMillis() > 0
                ? "retry: { backoff: { initial: %1$dms, max: %1$dms, jitter: 0 } }"
                    .formatted(workload.backoffMillis())
                : "",
            workload.fetchBytes(),
            SESSION_TIMEOUT_MILLIS);
    MeterRegistry meters = new SimpleMeterRegistry();
    KafkaFactory kafka =
        KafkaFactory.builder()
            .meterRegistry(meters)
            .create(ConfigLoader.create().parse("benchmark", config));
    PreparedConsumer<byte[]> consumer = kafka.createConsumer("contender");
    if (workload.scenario() == Workload.Scenario.COPY) {
      consumer.subscribe(
          (value, context) -> {
            handling.handle(context.offset(), value);
            context.send(source.copy(), context.key(), value);
          });
    } else if (workload.isAsynchronous()) {
      consumer.subscribeAsync((value, context) -> handling.begin(context.offset(), value));
    } else {
      RecordHandler<byte[]> handler = (value, context) -> handling.handle(context.offset(), value);
      consumer.subscribe(fails ? new FailingHandler(workload, handler) : handler);
    }
    Gauge inFlight = meters.get("millrace.consumer.in.flight").gauge();
    return new Running() {
      @Override
      public void end() {
        kafka.close();
      }

      @Override
      public long inFlight() {
        return (long) inFlight.value();
      }
    };
  }
}
