package dev.millrace.internal.start;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.config.RateLimitDefinition;
import dev.millrace.internal.channel.Deliveries;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Who may start, and who waits, while what it depends on changes. */
@Tag("interleavings")
class StartGateInterleavingTest {
  private final Logger log = (Logger) LoggerFactory.getLogger("dev.millrace");
  private final Level level = log.getLevel();

  /** A gate in a time that the test sets; its alarms are kept for the test to ring. */
  private static final class Gate implements EngineClock, DelayTimer {
    final StartGate gate;
    final Queue<Runnable> alarms = new ConcurrentLinkedQueue<>();
    final AtomicInteger started = new AtomicInteger();
    final AtomicLong now = new AtomicLong();

    Gate(boolean circuit, boolean rate) {
      gate =
          new StartGate(
              circuit
                  ? new Circuit(
                      "c",
                      new CircuitBreakerDefinition(100, 1, 1, Duration.ofSeconds(1), 1),
                      this,
                      () -> {})
                  : null,
              rate ? new RateLimit(new RateLimitDefinition(1, Duration.ofSeconds(1)), 0) : null,
              this,
              this);
    }

    /** As a worker does. */
    void ask(Delivery delivery) {
      Pass pass = gate.enter(delivery, 1);
      if (pass == null) {
        var place = gate.place(delivery);
        delivery.waitsFor(place);
        gate.await(place, List.of(delivery), () -> ask(delivery));
      } else {
        started.incrementAndGet();
      }
    }

    /** Rings those that are set; what they set is for later. */
    void ring() {
      List<Runnable> set = new ArrayList<>(alarms);
      alarms.clear();
      set.forEach(Runnable::run);
    }

    /** Lets in the only probe of an open circuit. */
    Pass probe() {
      Objects.requireNonNull(gate.enter(Deliveries.delivery(0), 1))
          .ended(new IllegalStateException("down"));
      now.addAndGet(Duration.ofSeconds(2).toNanos());
      return Objects.requireNonNull(gate.enter(Deliveries.delivery(1), 1));
    }

    @Override
    public long nanos() {
      return now.get();
    }

    @Override
    public Instant now() {
      return Instant.EPOCH;
    }

    @Override
    public void after(long delayNanos, Runnable task) {
      alarms.add(task);
    }

    @Override
    public void close() {}
  }

  @Test
  void whoBeginsToWaitWhenTheCircuitClosesIsCalledUp() {
    check(
        () -> {
          Gate gate = new Gate(true, false);
          Pass probe = gate.probe();
          Delivery first = Deliveries.delivery(2);
          Delivery second = Deliveries.delivery(3);
          return together(() -> gate.ask(first), () -> gate.ask(second), () -> probe.ended(null))
              .then(
                  () -> {
                    require(gate.gate.waiting() == 0, gate.gate.waiting() + " wait for ever");
                    require(gate.started.get() == 2, gate.started + " have started");
                  });
        });
  }

  /** A probe that was none: one of those that wait takes its place. */
  @Test
  void whoBeginsToWaitWhenAProbeIsGivenBackTakesItsPlace() {
    check(
        () -> {
          Gate gate = new Gate(true, false);
          Pass probe = gate.probe();
          Delivery first = Deliveries.delivery(2);
          Delivery second = Deliveries.delivery(3);
          return together(() -> gate.ask(first), () -> gate.ask(second), probe::unused)
              .then(
                  () ->
                      require(
                          gate.started.get() == 1 && gate.gate.waiting() == 1,
                          gate.started + " have started, " + gate.gate.waiting() + " wait"));
        });
  }

  @Test
  void aTokenIsTakenOnceAndWhoWaitsForTheNextIsWokenForIt() {
    check(
        () -> {
          Gate gate = new Gate(false, true);
          Delivery first = Deliveries.delivery(0);
          Delivery second = Deliveries.delivery(1);
          Delivery third = Deliveries.delivery(2);
          return together(() -> gate.ask(first), () -> gate.ask(second), () -> gate.ask(third))
              .then(
                  () -> {
                    require(gate.started.get() == 1, gate.started + " have started at once");
                    for (int i = 2; i <= 3; i++) {
                      gate.now.addAndGet(Duration.ofSeconds(1).toNanos());
                      gate.ring();
                      require(gate.started.get() == i, gate.started + " have started in time");
                    }
                  });
        });
  }

  /** One opens it by its failure while others end. */
  @Test
  void aCallThatEndsWhenTheCircuitOpensIsOfNoAccount() {
    check(
        () -> {
          Gate gate = new Gate(true, false);
          Pass fails = enter(gate);
          Pass failsToo = enter(gate);
          Delivery asks = Deliveries.delivery(3);
          return together(
                  () -> fails.ended(new IllegalStateException("down")),
                  () -> failsToo.ended(new IllegalStateException("down")),
                  () -> gate.ask(asks))
              .then(
                  () -> {
                    require(gate.gate.holdsIntake(), "the circuit is not open");
                    gate.now.addAndGet(Duration.ofSeconds(2).toNanos());
                    gate.ring();
                    require(gate.started.get() == 1, gate.started + " have started");
                  });
        });
  }

  /** A run opens a circuit or two, and there are thousands of runs. */
  @BeforeEach
  void silence() {
    log.setLevel(Level.OFF);
  }

  @AfterEach
  void speak() {
    log.setLevel(level);
  }

  private static Pass enter(Gate gate) {
    @Nullable Pass pass = gate.gate.enter(Deliveries.delivery(0), 1);
    return Objects.requireNonNull(pass);
  }
}
