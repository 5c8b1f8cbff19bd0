package dev.millrace.internal.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * One named producer's meters; the names are listed in {@link MeterNames}. Recording is thread-safe
 * and takes no lock. Closing removes every meter registered here.
 */
public final class ProducerMeters implements AutoCloseable {
  private final MeterRegistry registry;
  private final Tags tags;
  private final List<Meter> registered = new ArrayList<>();

  private final Counter acknowledged;
  private final Counter failed;
  private final Counter dropped;
  private final Counter replacements;

  public ProducerMeters(MeterRegistry registry, String producer) {
    this.registry = registry;
    this.tags = Tags.of("producer", producer);
    this.acknowledged = outcome("acknowledged");
    this.failed = outcome("failed");
    this.dropped = outcome("dropped");
    this.replacements = counter(MeterNames.REPLACEMENTS, tags);
  }

  public void acknowledged() {
    acknowledged.increment();
  }

  public void failed() {
    failed.increment();
  }

  public void clientReplaced() {
    replacements.increment();
  }

  public void dropped() {
    dropped.increment();
  }

  /** Shows how many threads wait for room. */
  public void waiting(Supplier<Number> threads) {
    gauge(MeterNames.SENDS_WAITING, threads);
  }

  /** Shows how many handles are out. */
  public void handles(Supplier<Number> handles) {
    gauge(MeterNames.HANDLES, handles);
  }

  /** Shows how many Kafka clients there are. */
  public void instances(Supplier<Number> instances) {
    gauge(MeterNames.INSTANCES, instances);
  }

  /** Shows what is on its way. */
  public void inFlight(Supplier<Number> records, Supplier<Number> bytes) {
    gauge(MeterNames.SENDS_IN_FLIGHT, records);
    gauge(MeterNames.SENDS_IN_FLIGHT_BYTES, bytes);
  }

  @Override
  public void close() {
    registered.forEach(registry::remove);
    registered.clear();
  }

  private Counter outcome(String outcome) {
    return counter(MeterNames.SENT, tags.and("outcome", outcome));
  }

  private Counter counter(String name, Tags with) {
    return keep(Counter.builder(name).tags(with).register(registry));
  }

  private void gauge(String name, Supplier<Number> value) {
    keep(Gauge.builder(name, value).tags(tags).register(registry));
  }

  private <M extends Meter> M keep(M meter) {
    registered.add(meter);
    return meter;
  }
}
