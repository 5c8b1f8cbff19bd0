package dev.millrace.internal.producer;

import dev.millrace.config.PoolDefinition;
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

/** The shared producers of a factory, by name, each made when first asked for. Any thread. */
public final class ProducerPool {
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
   * @param definition how its handles share its Kafka clients
   * @param settings asked for only when the producer has to be made
   * @throws IllegalStateException when the pool is closed
   */
  public ProducerSlot slot(
      String name, PoolDefinition definition, Supplier<Map<String, Object>> settings) {
    ProducerSlot warm = slots.get(name);
    if (warm != null) {
      return warm;
    }
    // One lock for making and closing: a producer made while the pool closes would never be closed.
    lifecycle.lock();
    try {
      requireOpen();
      return slots.computeIfAbsent(name, absent -> create(name, definition, settings.get()));
    } finally {
      lifecycle.unlock();
    }
  }

  private ProducerSlot create(
      String name, PoolDefinition definition, Map<String, Object> settings) {
    try {
      Instances instances = Instances.open(name, definition.instances(), settings, clientMeters);
      return new ProducerSlot(name, instances, new ProducerMeters(registry, name));
    } catch (KafkaException e) {
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
    List<ProducerSlot> all;
    lifecycle.lock();
    try {
      closed = true;
      all = List.copyOf(slots.values());
      slots.clear();
    } finally {
      lifecycle.unlock();
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    all.forEach(slot -> slot.close(deadline));
  }
}
