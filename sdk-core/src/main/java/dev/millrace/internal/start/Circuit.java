package dev.millrace.internal.start;

import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.errors.MessageTakenException;
import dev.millrace.errors.PayloadException;
import dev.millrace.internal.time.EngineClock;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a handler fails so often that it is not called for a time. What is counted, what opens
 * the circuit and for how long is resilience4j's; which calls are probes, and what they say, is
 * decided here. Any thread.
 *
 * <p>Invariant: a call's end counts only in the phase in which the call began. So calls that hang
 * from before neither close the circuit nor open it again; a circuit closes only when {@code
 * probes} calls that began while it probed have succeeded. And it never waits for ever: for a probe
 * that does not come back another one is let through, one after each {@code open-for}.
 */
public final class Circuit {
  private static final Logger LOG = LoggerFactory.getLogger(Circuit.class);

  /** The time from one change to the next; a call belongs to the one in which it began. */
  static final class Phase {
    private final State state;
    private final long sinceNanos;
    private final Instant since;

    private Phase(State state, EngineClock clock) {
      this.state = state;
      this.sinceNanos = clock.nanos();
      this.since = clock.now();
    }
  }

  private final String consumer;
  private final CircuitBreakerDefinition definition;
  private final long openNanos;
  private final EngineClock clock;
  private final Runnable onOpen;

  private final ReentrantLock lock = new ReentrantLock();
  // Under the lock; the phase is also read without.
  private final CircuitBreaker breaker;
  private volatile Phase phase;
  private int probing;
  private int succeeded;
  private long probedNanos;

  /**
   * @param consumer its name, for the log
   * @param onOpen run whenever it opens; must not block
   */
  Circuit(
      String consumer, CircuitBreakerDefinition definition, EngineClock clock, Runnable onOpen) {
    this.consumer = consumer;
    this.definition = definition;
    this.openNanos = definition.openFor().toNanos() + 1; // resilience4j asks for more than that.
    this.clock = clock;
    this.onOpen = onOpen;
    this.breaker =
        CircuitBreaker.of(
            consumer,
            CircuitBreakerConfig.custom()
                .failureRateThreshold(definition.failureRate())
                .slidingWindow(
                    definition.window(), definition.minimumCalls(), SlidingWindowType.COUNT_BASED)
                .waitDurationInOpenState(definition.openFor())
                .clock(new SteadyClock(clock))
                .build());
    this.phase = new Phase(State.CLOSED, clock);
  }

  /** Returns what a call that begins now belongs to; null when none may begin. */
  @Nullable Phase enter() {
    Phase now = phase;
    if (now.state == State.CLOSED) {
      return now;
    }
    lock.lock();
    try {
      if (phase.state == State.OPEN) {
        if (!breaker.tryAcquirePermission()) {
          return null;
        }
        follow();
      }
      return phase.state == State.HALF_OPEN ? probe() : phase;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Phase probe() {
    if (nextNanos() - clock.nanos() > 0) {
      return null;
    }
    probing++;
    probedNanos = clock.nanos();
    return phase;
  }

  /**
   * A call has ended.
   *
   * @param failure null when it has succeeded
   * @return whether more may begin now than before
   */
  boolean ended(Phase began, @Nullable Throwable failure) {
    if (failure != null && isIgnored(failure)) {
      return unused(began);
    }
    lock.lock();
    try {
      if (began != phase) {
        return false;
      }
      if (began.state == State.HALF_OPEN) {
        probed(failure);
      } else if (failure == null) {
        breaker.onSuccess(0, TimeUnit.NANOSECONDS);
      } else {
        breaker.onError(0, TimeUnit.NANOSECONDS, failure);
      }
      return follow();
    } finally {
      lock.unlock();
    }
  }

  /**
   * A call that had been let in has not begun, or says nothing of the handler.
   *
   * @return whether more may begin now than before
   */
  boolean unused(Phase began) {
    if (began.state == State.CLOSED) {
      return false;
    }
    lock.lock();
    try {
      if (began != phase) {
        return false;
      }
      probing--;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Such a failure is its record's own, or that of nobody. */
  private static boolean isIgnored(Throwable failure) {
    return failure instanceof PayloadException || failure instanceof MessageTakenException;
  }

  private void probed(@Nullable Throwable failure) {
    if (failure != null) {
      breaker.onError(0, TimeUnit.NANOSECONDS, failure);
      if (breaker.getState() == State.HALF_OPEN) {
        breaker.transitionToOpenState();
      }
    } else if (++succeeded == definition.probes()) {
      // Not by its own count, which a small minimum-calls would make smaller.
      breaker.transitionToClosedState();
    }
  }

  /** Under the lock, after whatever may have changed the state; whether it has. */
  private boolean follow() {
    State state = breaker.getState();
    if (state == phase.state) {
      return false;
    }
    log(state, phase.state == State.HALF_OPEN);
    phase = new Phase(state, clock);
    probing = 0;
    succeeded = 0;
    if (state == State.OPEN) {
      onOpen.run();
    }
    return true;
  }

  private void log(State state, boolean probed) {
    switch (state) {
      case OPEN -> {
        CircuitBreaker.Metrics calls = breaker.getMetrics();
        LOG.warn(
            "Consumer '{}' does not call its handler for {} s, since {} failed: its circuit is"
                + " open. Records wait where they are, and intake pauses.",
            consumer,
            definition.openFor().toSeconds(),
            probed
                ? "a probe has"
                : calls.getNumberOfFailedCalls()
                    + " of the last "
                    + calls.getNumberOfBufferedCalls()
                    + " calls have");
      }
      case HALF_OPEN ->
          LOG.info(
              "Consumer '{}' calls its handler {} times, to see whether its circuit may close.",
              consumer,
              definition.probes());
      default -> LOG.info("Consumer '{}' calls its handler again: its circuit closes.", consumer);
    }
  }

  /** Whether a call that was let in, and has not begun, may begin. */
  boolean stillHolds(Phase entered) {
    Phase now = phase;
    return now == entered || now.state == State.CLOSED;
  }

  boolean isClosed() {
    return phase.state == State.CLOSED;
  }

  /** Whether no call may begin before some time has passed. */
  boolean isWaiting() {
    Phase now = phase;
    return now.state == State.OPEN && now.sinceNanos + openNanos - clock.nanos() > 0;
  }

  /**
   * Returns from when on a call may begin, if none ends before. While it is closed that is a moment
   * in the past.
   */
  long nextNanos() {
    if (isClosed()) {
      return phase.sinceNanos;
    }
    lock.lock();
    try {
      if (phase.state == State.HALF_OPEN) {
        return probing < definition.probes() ? phase.sinceNanos : probedNanos + openNanos;
      }
      return phase.state == State.OPEN ? phase.sinceNanos + openNanos : phase.sinceNanos;
    } finally {
      lock.unlock();
    }
  }

  /** Returns where it stands, for people. */
  public ConsumerExplanation.Circuit explain() {
    Phase now = phase;
    return switch (now.state) {
      case OPEN ->
          new ConsumerExplanation.Circuit(
              CircuitState.OPEN, now.since, Optional.of(now.since.plus(definition.openFor())));
      case HALF_OPEN ->
          new ConsumerExplanation.Circuit(CircuitState.PROBING, now.since, Optional.empty());
      default -> new ConsumerExplanation.Circuit(CircuitState.CLOSED, now.since, Optional.empty());
    };
  }

  /** Returns where it stands, as a number: closed 0, half open 1, open 2. */
  int level() {
    return switch (phase.state) {
      case OPEN -> 2;
      case HALF_OPEN -> 1;
      default -> 0;
    };
  }

  /** Nanoseconds as instants: a wall clock may go back. */
  private static final class SteadyClock extends Clock {
    private final EngineClock clock;

    SteadyClock(EngineClock clock) {
      this.clock = clock;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return Instant.EPOCH.plusNanos(clock.nanos());
    }
  }
}
