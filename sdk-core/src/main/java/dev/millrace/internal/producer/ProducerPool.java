package dev.millrace.internal.producer;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.metrics.ProducerMeters;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The shared producers of a factory, by name, each made when first asked for. Any thread. */
public final class ProducerPool {
  private static final Logger LOG = LoggerFactory.getLogger(ProducerPool.class);

  private final ClientMeters clientMeters;
  private final MeterRegistry registry;
  private final Map<String, ProducerSlot> slots = new ConcurrentHashMap<>();
  private final ReentrantLock lifecycle = new ReentrantLock();
  private volatile boolean closed;

  /**
   * @param clientMeters where the Kafka clients' own metrics go
   * @param registry where the producers' meters go
   */
  public ProducerPool(ClientMeters clientMeters, MeterRegistry registry) {
    this.clientMeters = clientMeters;
    this.registry = registry;
  }

  /**
   * Returns the slot of a name.
   *
   * @param settings asked for only when the producer has to be made
   * @throws IllegalStateException when the pool is closed
   */
  public ProducerSlot slot(String name, Supplier<Map<String, Object>> settings) {
    ProducerSlot warm = slots.get(name);
    if (warm != null) {
      return warm;
    }
    // One lock for making and closing: a producer made while the pool closes would never be closed.
    lifecycle.lock();
    try {
      requireOpen();
      return slots.computeIfAbsent(name, absent -> create(name, settings.get()));
    } finally {
      lifecycle.unlock();
    }
  }

  private ProducerSlot create(String name, Map<String, Object> settings) {
    ProducerMeters meters = new ProducerMeters(registry, name);
    try {
      return new ProducerSlot(name, settings, clientMeters, meters);
    } catch (KafkaException e) {
      meters.close();
      throw new InvalidDefinitionException(
          "Producer '%s': the Kafka client can't be made: %s"
              .formatted(name, e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The KafkaFactory is closed.");
    }
  }

  /** Closes all producers; records already sent get until the timeout to be acknowledged. */
  public void close(Duration timeout) {
    List<Map.Entry<String, ProducerSlot>> all;
    lifecycle.lock();
    try {
      closed = true;
      all = List.copyOf(slots.entrySet());
      slots.clear();
    } finally {
      lifecycle.unlock();
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    for (Map.Entry<String, ProducerSlot> entry : all) {
      try {
        entry.getValue().close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
      } catch (RuntimeException e) {
        LOG.warn("Producer '{}' did not close cleanly.", entry.getKey(), e);
      }
    }
  }
}
