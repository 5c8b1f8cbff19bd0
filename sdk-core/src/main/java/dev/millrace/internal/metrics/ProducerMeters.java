package dev.millrace.internal.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;

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

  public ProducerMeters(MeterRegistry registry, String producer) {
    this.registry = registry;
    this.tags = Tags.of("producer", producer);
    this.acknowledged = outcome("acknowledged");
    this.failed = outcome("failed");
  }

  public void acknowledged() {
    acknowledged.increment();
  }

  public void failed() {
    failed.increment();
  }

  @Override
  public void close() {
    registered.forEach(registry::remove);
    registered.clear();
  }

  private Counter outcome(String outcome) {
    return keep(
        Counter.builder(MeterNames.SENT).tags(tags.and("outcome", outcome)).register(registry));
  }

  private <M extends Meter> M keep(M meter) {
    registered.add(meter);
    return meter;
  }
}
