package dev.millrace.internal.producer;

import dev.millrace.config.PoolDefinition;
import dev.millrace.errors.ProducerFullException;
import dev.millrace.internal.metrics.ProducerMeters;
import dev.millrace.producer.ProducerStatistics;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One named producer, which all its handles share. Any thread. */
public final class ProducerSlot {
  private static final Logger LOG = LoggerFactory.getLogger(ProducerSlot.class);

  private final String name;
  private final Instances instances;
  private final Leases leases = new Leases();
  private final Admission admission;
  private final IdleEviction.Watch idleWatch;
  private final ProducerMeters meters;
  private final ForgottenFailures forgotten;

  /**
   * @param meters closed with the slot
   */
  ProducerSlot(
      String name,
      PoolDefinition definition,
      Instances instances,
      Admission admission,
      IdleEviction eviction,
      ProducerMeters meters) {
    this.name = name;
    this.instances = instances;
    this.admission = admission;
    this.idleWatch = eviction.watch(this, definition.idleEviction());
    this.meters = meters;
    this.forgotten = new ForgottenFailures(name);
    meters.handles(leases::open);
    meters.instances(instances::count);
    meters.inFlight(admission.inFlight()::records, admission.inFlight()::bytes);
    meters.waiting(admission::waiting);
  }

  String name() {
    return name;
  }

  /** For one more handle; false when it is evicted. */
  boolean take() {
    return leases.take();
  }

  /** A handle is closed. */
  void giveBack() {
    if (leases.giveBack()) {
      idleWatch.begin();
    }
  }

  boolean isIdle() {
    return leases.isIdle();
  }

  Duration idleFor() {
    return leases.age();
  }

  /** Returns whether it may be closed: no handle is out, none will be, and all has ended. */
  boolean retire() {
    return admission.inFlight().records() == 0 && leases.retire();
  }

  boolean isRetired() {
    return leases.isRetired();
  }

  ProducerStatistics statistics() {
    return new ProducerStatistics(
        name,
        instances.count(),
        leases.open(),
        leases.since(),
        admission.inFlight().records(),
        admission.inFlight().bytes(),
        admission.waiting());
  }

  /**
   * Sends one record. What the client throws at once and what it reports later both arrive in the
   * future, which completes on the client's I/O thread.
   */
  public CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> message) {
    int size = InFlight.size(message);
    RuntimeException refusal = admission.enter(size);
    if (refusal != null) {
      return refused(refusal);
    }
    Flight flight = new Flight(size, admission, meters);
    instances.of(message).send(message, flight);
    return flight.future();
  }

  private CompletableFuture<RecordMetadata> refused(RuntimeException refusal) {
    if (isDropped(refusal)) {
      meters.dropped();
    } else {
      meters.failed();
    }
    return CompletableFuture.failedFuture(refusal);
  }

  private boolean isDropped(Throwable failure) {
    return admission.drops() && failure instanceof ProducerFullException;
  }

  void sendAndForget(ProducerRecord<byte[], byte[]> message) {
    var unused =
        send(message)
            .exceptionally(
                failure -> {
                  if (!isDropped(failure)) {
                    forgotten.report(failure);
                  }
                  return null;
                });
  }

  void flush() {
    instances.each(ProducerInstance::flush);
  }

  /** Records already sent get until then to be acknowledged. */
  void close(long deadlineNanos) {
    instances.each(
        instance -> {
          try {
            instance.close(Duration.ofNanos(Math.max(0, deadlineNanos - System.nanoTime())));
          } catch (RuntimeException e) {
            LOG.warn("Producer '{}' did not close cleanly.", name, e);
          }
        });
    meters.close();
  }
}
