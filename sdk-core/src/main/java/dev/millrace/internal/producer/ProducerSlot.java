package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ProducerMeters;
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
  private final ProducerMeters meters;
  private final ForgottenFailures forgotten;

  ProducerSlot(String name, Instances instances, ProducerMeters meters) {
    this.name = name;
    this.instances = instances;
    this.meters = meters;
    this.forgotten = new ForgottenFailures(name);
  }

  /**
   * Sends one record. What the client throws at once and what it reports later both arrive in the
   * future, which completes on the client's I/O thread.
   */
  public CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> message) {
    Flight flight = new Flight(meters);
    instances.of(message).send(message, flight);
    return flight.future();
  }

  void sendAndForget(ProducerRecord<byte[], byte[]> message) {
    var unused =
        send(message)
            .exceptionally(
                failure -> {
                  forgotten.report(failure);
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
