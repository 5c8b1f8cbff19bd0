package dev.millrace.internal.producer;

import dev.millrace.config.InFlightDefinition;
import dev.millrace.config.WhenFull;
import dev.millrace.errors.ProducerFullException;
import java.time.Duration;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;

/** Lets records in as far as there is room, and says why when it does not. Any thread. */
final class Admission {
  private final String producer;
  private final WhenFull whenFull;
  private final Duration maxBlock;
  private final InFlight inFlight;
  private final Turnstile turnstile;

  /**
   * @param maxBlock how long a send may wait for room
   */
  Admission(String producer, InFlightDefinition limits, Duration maxBlock) {
    this.producer = producer;
    this.whenFull = limits.whenFull();
    this.maxBlock = maxBlock;
    this.inFlight = new InFlight(limits);
    this.turnstile = new Turnstile(inFlight);
  }

  InFlight inFlight() {
    return inFlight;
  }

  int waiting() {
    return turnstile.waiting();
  }

  /** Whether what is refused for want of room is lost by the service's own will. */
  boolean drops() {
    return whenFull == WhenFull.DROP;
  }

  /** Returns why the record may not be sent; null when it is in, until {@link #leave}. */
  @Nullable RuntimeException enter(int size) {
    if (inFlight.neverFits(size)) {
      return new RecordTooLargeException(
          "Producer '%s': the record's %d bytes are more than max-in-flight-bytes allows in all; it was not sent."
              .formatted(producer, size));
    }
    long start = System.nanoTime();
    try {
      boolean in =
          whenFull == WhenFull.BLOCK
              ? turnstile.pass(size, maxBlock.toNanos())
              : turnstile.passAtOnce(size);
      return in ? null : full(Duration.ofNanos(System.nanoTime() - start));
    } catch (InterruptedException e) {
      return new InterruptException(
          "Producer '" + producer + "': interrupted before there was room; it was not sent.", e);
    }
  }

  void leave(int size) {
    inFlight.giveBack(size);
    turnstile.wake();
  }

  private ProducerFullException full(Duration waited) {
    String wait =
        whenFull == WhenFull.BLOCK
            ? "this send waited for %d ms (max.block.ms is %d), and %d more threads wait"
                .formatted(waited.toMillis(), maxBlock.toMillis(), waiting())
            : "when-full does not let it wait";
    return new ProducerFullException(
        "Producer '%s' is full: %s; %s. The record was not sent. Send more slowly, or raise max-in-flight-records or max-in-flight-bytes."
            .formatted(producer, inFlight, wait));
  }
}
