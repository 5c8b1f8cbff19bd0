package dev.millrace.internal.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/**
 * Binds a Kafka client's own metrics to the registry. Each binding has the binder's own refresh
 * thread: handed a shared one, the binder would leave its task, and with it the closed client,
 * scheduled for ever.
 */
public final class ClientMeters {
  private final @Nullable MeterRegistry registry;

  /**
   * @param registry null binds nothing, and so costs no thread
   */
  public ClientMeters(@Nullable MeterRegistry registry) {
    this.registry = registry;
  }

  /** What takes a client's meters away again. */
  @FunctionalInterface
  public interface Binding extends AutoCloseable {
    @Override
    void close();
  }

  /** Binds a consumer's metrics. */
  public Binding bind(Consumer<?, ?> consumer, String name) {
    return registry == null
        ? () -> {}
        : bind(registry, new KafkaClientMetrics(consumer, List.of(Tag.of("consumer", name))));
  }

  /** Binds a producer's metrics. */
  public Binding bind(Producer<?, ?> producer, String name) {
    return registry == null
        ? () -> {}
        : bind(registry, new KafkaClientMetrics(producer, List.of(Tag.of("producer", name))));
  }

  private static Binding bind(MeterRegistry registry, KafkaClientMetrics metrics) {
    metrics.bindTo(registry);
    return metrics::close;
  }
}
