package dev.millrace.internal.start;

import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.Alarm;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Asked before each call of a handler, by the worker that is about to make it: it may be made now,
 * or what is to be handled waits, in the order of asking, with its lane parked and no worker held.
 * Any thread.
 *
 * <p>Invariant: while something waits, an alarm is set for when it may go on, or one that was
 * called up is on its way. Who is called up asks again, and whoever does not, because its record is
 * gone, calls up the next ({@link #callUp}); who waits first lies down, then calls up. Nothing is
 * set aside for who is called up, so nothing is lost with a record that never comes.
 */
public final class StartGate {

  /**
   * Who waits.
   *
   * @param number in which order
   * @param deliveries what is to be handled by one call
   * @param resume has them ask again
   */
  private record Waiter(long number, List<Delivery> deliveries, Runnable resume)
      implements Comparable<Waiter> {

    @Override
    public int compareTo(Waiter other) {
      return Long.compare(number, other.number);
    }

    /** Returns how many will ask; the others have been taken back or skipped. */
    int asking() {
      int asking = 0;
      for (Delivery delivery : deliveries) {
        asking += delivery.hasEnded() ? 0 : 1;
      }
      return asking;
    }
  }

  private final @Nullable Circuit circuit;
  private final @Nullable RateLimit rate;
  private final EngineClock clock;
  private final Alarm alarm;
  private final AtomicLong numbers = new AtomicLong();
  private final ConcurrentSkipListSet<Waiter> waiting = new ConcurrentSkipListSet<>();

  StartGate(
      @Nullable Circuit circuit, @Nullable RateLimit rate, EngineClock clock, DelayTimer timer) {
    this.circuit = circuit;
    this.rate = rate;
    this.clock = clock;
    this.alarm = new Alarm(clock, timer, this::callUp);
  }

  /** Returns null when the definition lets handlers start at any time. */
  public static @Nullable StartGate of(
      ConsumerDefinition definition, EngineClock clock, DelayTimer timer, ConsumerMeters meters) {
    CircuitBreakerDefinition breaker = definition.circuitBreaker();
    RateLimitDefinition limit = definition.rateLimit();
    if (breaker == null && limit == null) {
      return null;
    }
    Circuit circuit =
        breaker == null
            ? null
            : new Circuit(definition.name(), breaker, clock, meters.circuitOpenings());
    StartGate gate =
        new StartGate(
            circuit, limit == null ? null : new RateLimit(limit, clock.nanos()), clock, timer);
    if (circuit != null) {
      meters.circuit(circuit::level);
    }
    meters.waitingToStart(gate::waiting);
    return gate;
  }

  /** Returns the circuit; null when there is none. */
  public @Nullable Circuit circuit() {
    return circuit;
  }

  /** Returns the rate limit; null when there is none. */
  public @Nullable RateLimit rate() {
    return rate;
  }

  /** Returns how many calls wait to be made; those behind them in their lanes don't count. */
  public int waiting() {
    return waiting.size();
  }

  /**
   * Worker, before a call.
   *
   * @param first the first of the records to be handled
   * @param records how many they are
   * @return null when the call is to wait: by {@link #place} and {@link #await}
   */
  public @Nullable Pass enter(Delivery first, int records) {
    boolean calledUp = first.waiting() instanceof Waiting.ForStart;
    Pass pass = calledUp || !isQueueing() ? take(records) : null;
    if (pass != null && calledUp) {
      callUp();
    }
    return pass;
  }

  /** Whether who comes now goes behind those who wait. */
  private boolean isQueueing() {
    return !waiting.isEmpty() && (rate != null || !isClosed());
  }

  private @Nullable Pass take(int records) {
    Circuit.Phase phase = null;
    if (circuit != null) {
      phase = circuit.enter();
      if (phase == null) {
        return null;
      }
    }
    if (rate != null && !rate.take(records, clock.nanos())) {
      if (circuit != null && phase != null) {
        circuit.unused(phase);
      }
      return null;
    }
    return new Pass(this, phase, records);
  }

  /**
   * Worker. Returns where a record waits that may not start, and why; in front if it did before.
   */
  public Waiting.ForStart place(Delivery delivery) {
    String why = isClosed() ? Waiting.ForStart.RATE : Waiting.ForStart.CIRCUIT;
    return delivery.waiting() instanceof Waiting.ForStart before
        ? new Waiting.ForStart(before.number(), before.sinceNanos(), why)
        : new Waiting.ForStart(numbers.incrementAndGet(), clock.nanos(), why);
  }

  /**
   * Has what is to be handled by one call wait.
   *
   * @param resume has it come to {@link #enter} again; maybe run before this returns
   */
  public void await(Waiting.ForStart place, List<Delivery> deliveries, Runnable resume) {
    waiting.add(new Waiter(place.number(), deliveries, resume));
    callUp();
  }

  /** Has those come who may start now. Whoever was called up, and does not ask, calls this. */
  public void callUp() {
    if (waiting.isEmpty()) {
      return;
    }
    long free = free();
    if (free == 0) {
      alarm.setFor(nextNanos());
    }
    while (free > 0) {
      Waiter first = waiting.pollFirst();
      if (first == null) {
        return;
      }
      free -= first.asking();
      first.resume().run();
    }
  }

  private long free() {
    long now = clock.nanos();
    long free = Long.MAX_VALUE;
    if (circuit != null && !circuit.isClosed()) {
      free = circuit.nextNanos() - now <= 0 ? 1 : 0;
    }
    return rate == null ? free : Math.min(free, rate.free(now));
  }

  private long nextNanos() {
    if (circuit == null) {
      return rate == null ? clock.nanos() : rate.nextNanos();
    }
    long next = circuit.nextNanos();
    return rate == null || rate.nextNanos() - next < 0 ? next : rate.nextNanos();
  }

  /**
   * Poll thread. Returns whether nothing more is to be taken in: the circuit is open, or there is
   * enough here to probe with.
   */
  public boolean holdsIntake() {
    return circuit != null && (circuit.isWaiting() || (!circuit.isClosed() && !waiting.isEmpty()));
  }

  private boolean isClosed() {
    return circuit == null || circuit.isClosed();
  }

  boolean stillHolds(Circuit.Phase phase) {
    return circuit == null || circuit.stillHolds(phase);
  }

  void ended(Circuit.Phase phase, @Nullable Throwable failure) {
    if (circuit != null && circuit.ended(phase, failure)) {
      callUp();
    }
  }

  void unused(Circuit.@Nullable Phase phase, int records) {
    if (circuit != null && phase != null) {
      circuit.unused(phase);
    }
    if (rate != null) {
      rate.giveBack(records);
    }
    callUp();
  }
}
