package dev.millrace.internal.producer;

import dev.millrace.config.PoolDefinition;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.metrics.ProducerMeters;
import dev.millrace.producer.ProducerStatistics;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;

/** The shared producers of a factory, by name, each made when first asked for. Any thread. */
public final class ProducerPool {
  private static final Duration EVICTION_TIMEOUT = Duration.ofSeconds(5);

  private final ClientMeters clientMeters;
  private final MeterRegistry registry;
  private final Map<String, ProducerSlot> slots = new ConcurrentHashMap<>();
  private final IdleEviction eviction = new IdleEviction(this::evict);
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
   * Returns the slot of a name for one more handle, which gives it back. A warm one costs no lock.
   *
   * @param definition how its handles share its Kafka clients
   * @param settings asked for only when the producer has to be made
   * @throws IllegalStateException when the pool is closed
   */
  public ProducerSlot lease(
      String name, PoolDefinition definition, Supplier<Map<String, Object>> settings) {
    ProducerSlot warm = slots.get(name);
    if (warm != null && warm.take()) {
      return warm;
    }
    // One lock for making and closing: a producer made while the pool closes would never be closed.
    lifecycle.lock();
    try {
      ProducerSlot slot = existingOrNew(name, definition, settings);
      slot.take(); // It is not retired: that happens under the lock, and takes it out of the map.
      return slot;
    } finally {
      lifecycle.unlock();
    }
  }

  /** Returns the slot of a name for good: one without handles is not evicted. */
  public ProducerSlot slot(String name, Supplier<Map<String, Object>> settings) {
    ProducerSlot warm = slots.get(name);
    if (warm != null) {
      return warm;
    }
    lifecycle.lock();
    try {
      return existingOrNew(name, PoolDefinition.defaults(), settings);
    } finally {
      lifecycle.unlock();
    }
  }

  private ProducerSlot existingOrNew(
      String name, PoolDefinition definition, Supplier<Map<String, Object>> settings) {
    requireOpen();
    return slots.computeIfAbsent(name, absent -> create(name, definition, settings.get()));
  }

  /** The timer's thread. Nothing is in flight, so the close does not wait. */
  private void evict(ProducerSlot slot) {
    lifecycle.lock();
    try {
      if (slot.retire()) {
        slots.remove(slot.name());
        // Under the lock, or it would take away the meters of the next one of its name.
        slot.close(System.nanoTime() + EVICTION_TIMEOUT.toNanos());
      }
    } finally {
      lifecycle.unlock();
    }
  }

  /** Returns what each producer is doing, by name. */
  public List<ProducerStatistics> statistics() {
    return slots.values().stream()
        .map(ProducerSlot::statistics)
        .sorted(Comparator.comparing(ProducerStatistics::name))
        .toList();
  }

  private ProducerSlot create(
      String name, PoolDefinition definition, Map<String, Object> settings) {
    Admission admission = new Admission(name, definition.inFlight(), maxBlock(settings));
    ProducerMeters meters = new ProducerMeters(registry, name);
    try {
      Instances instances =
          Instances.open(
              name, definition.instances(), settings, clientMeters, meters::clientReplaced);
      return new ProducerSlot(name, definition, instances, admission, eviction, meters);
    } catch (KafkaException e) {
      meters.close();
      throw new InvalidDefinitionException(
          "Producer '%s': the Kafka client can't be made: %s"
              .formatted(name, e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  /** What Kafka has read without complaint; it is there, since every profile sets it. */
  private static Duration maxBlock(Map<String, Object> settings) {
    String millis = String.valueOf(settings.get(ProducerConfig.MAX_BLOCK_MS_CONFIG));
    return Duration.ofMillis(Long.parseLong(millis.strip()));
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
      eviction.close();
    } finally {
      lifecycle.unlock();
    }
    long deadline = System.nanoTime() + timeout.toNanos();
    all.forEach(slot -> slot.close(deadline));
  }
}
