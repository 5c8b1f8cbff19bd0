package dev.millrace.internal.start;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.CircuitBreakerDefinition;
import dev.millrace.consumer.ConsumerExplanation.CircuitState;
import dev.millrace.errors.MessageTakenException;
import dev.millrace.errors.PayloadException;
import dev.millrace.internal.time.SteppedClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When a circuit opens, whom it lets through, and what closes it. */
class CircuitTest {
  private static final Duration OPEN_FOR = Duration.ofSeconds(30);
  private final Exception down = new IllegalStateException("the warehouse does not answer");

  private final SteppedClock clock = new SteppedClock();
  private final AtomicInteger openings = new AtomicInteger();

  private Circuit circuit(int failureRate, int window, int minimumCalls, int probes) {
    return new Circuit(
        "order-consumer",
        new CircuitBreakerDefinition(failureRate, window, minimumCalls, OPEN_FOR, probes),
        clock,
        openings::incrementAndGet);
  }

  private static Circuit.Phase begin(Circuit circuit) {
    return Objects.requireNonNull(circuit.enter());
  }

  private static void call(Circuit circuit, @Nullable Throwable failure) {
    boolean unused = circuit.ended(begin(circuit), failure);
  }

  private static CircuitState state(Circuit circuit) {
    return circuit.explain().state();
  }

  /** Opens at its third call, each of which fails. */
  private Circuit opened(int probes) {
    Circuit circuit = circuit(100, 3, 3, probes);
    for (int i = 0; i < 3; i++) {
      call(circuit, down);
    }
    assertThat(state(circuit)).isEqualTo(CircuitState.OPEN);
    return circuit;
  }

  private Circuit probing(int probes) {
    Circuit circuit = opened(probes);
    pass(OPEN_FOR);
    return circuit;
  }

  private void pass(Duration time) {
    clock.advance(time.toNanos() + 1);
  }

  @Test
  void opensWhenSoManyOfTheLastCallsHaveFailed() {
    Circuit circuit = circuit(50, 4, 4, 1);
    call(circuit, down);
    call(circuit, null);
    call(circuit, null);
    call(circuit, null);
    call(circuit, null); // The first failure is forgotten.
    call(circuit, down);
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
    call(circuit, down);

    assertThat(state(circuit)).isEqualTo(CircuitState.OPEN);
    assertThat(circuit.enter()).isNull();
    assertThat(openings).hasValue(1);
  }

  @Test
  void aFewCallsSayNothing() {
    Circuit circuit = circuit(50, 100, 5, 1);
    for (int i = 0; i < 4; i++) {
      call(circuit, down);
    }
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
    call(circuit, down);
    assertThat(state(circuit)).isEqualTo(CircuitState.OPEN);
  }

  @Test
  void whatIsNotTheHandlersFailureDoesNotCount() {
    Circuit circuit = circuit(50, 10, 1, 1);
    call(circuit, new PayloadException("not a number", null));
    call(circuit, new MessageTakenException("another one has it", null));
    boolean unused = circuit.unused(begin(circuit));

    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  @Test
  void afterItsTimeSoManyCallsAreLetThroughAsItProbesWith() {
    Circuit circuit = opened(2);
    clock.advance(OPEN_FOR.toNanos());
    assertThat(circuit.enter()).isNull();
    assertThat(circuit.isWaiting()).isTrue();
    clock.advance(1);

    assertThat(circuit.isWaiting()).isFalse();
    assertThat(circuit.nextNanos()).isEqualTo(clock.nanos());
    Circuit.Phase first = begin(circuit);
    Circuit.Phase second = begin(circuit);
    assertThat(circuit.enter()).isNull();
    assertThat(state(circuit)).isEqualTo(CircuitState.PROBING);

    assertThat(circuit.ended(first, null)).isFalse();
    assertThat(circuit.enter()).isNull();
    assertThat(circuit.ended(second, null)).isTrue();
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  @Test
  void withTheFirstProbeThatFailsItOpensAgainForAsLong() {
    Circuit circuit = probing(3);
    call(circuit, null);
    Circuit.Phase late = begin(circuit);
    call(circuit, down);

    assertThat(state(circuit)).isEqualTo(CircuitState.OPEN);
    assertThat(openings).hasValue(2);
    assertThat(circuit.explain().probing()).contains(clock.now().plus(OPEN_FOR));
    assertThat(circuit.ended(late, null)).isFalse();
    assertThat(circuit.enter()).isNull();
    pass(OPEN_FOR);
    call(circuit, null);
    call(circuit, null);
    assertThat(state(circuit)).isEqualTo(CircuitState.PROBING);
    call(circuit, null);
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  /** Else one success would close it, where few calls are enough to open it. */
  @Test
  void allProbesHaveToSucceedHoweverFewCallsOpenIt() {
    Circuit circuit = circuit(50, 100, 1, 3);
    call(circuit, down);
    pass(OPEN_FOR);
    call(circuit, null);
    call(circuit, null);

    assertThat(state(circuit)).isEqualTo(CircuitState.PROBING);
    call(circuit, null);
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  /** A handler that hung when the circuit opened tells of that time, whenever it ends. */
  @Test
  void callsFromBeforeNeitherCloseItNorOpenItAgain() {
    Circuit circuit = circuit(100, 3, 3, 1);
    Circuit.Phase hungAndFails = begin(circuit);
    Circuit.Phase hungAndSucceeds = begin(circuit);
    for (int i = 0; i < 3; i++) {
      call(circuit, down);
    }
    pass(OPEN_FOR);
    Circuit.Phase probe = begin(circuit);

    assertThat(circuit.ended(hungAndFails, down)).isFalse();
    assertThat(circuit.ended(hungAndSucceeds, null)).isFalse();
    assertThat(state(circuit)).isEqualTo(CircuitState.PROBING);
    assertThat(circuit.ended(probe, null)).isTrue();
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  @Test
  void aProbeThatWasNotMadeIsAnothersToMake() {
    Circuit circuit = probing(1);
    Circuit.Phase undecodable = begin(circuit);
    assertThat(circuit.enter()).isNull();

    assertThat(circuit.unused(undecodable)).isTrue();
    call(circuit, null);
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
  }

  @Test
  void forProbesThatDoNotComeBackOthersAreLetThrough() {
    Circuit circuit = probing(2);
    Circuit.Phase hangs = begin(circuit);
    Circuit.Phase hangsToo = begin(circuit);
    assertThat(circuit.nextNanos()).isEqualTo(clock.nanos() + OPEN_FOR.toNanos() + 1);
    pass(OPEN_FOR);
    call(circuit, null);
    assertThat(circuit.enter()).isNull();
    pass(OPEN_FOR);
    call(circuit, null);

    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
    assertThat(circuit.ended(hangs, down) || circuit.ended(hangsToo, down)).isFalse();
  }

  @Test
  void afterItHasClosedTheWindowIsEmpty() {
    Circuit circuit = probing(1);
    call(circuit, null);
    call(circuit, down);
    call(circuit, down);
    assertThat(state(circuit)).isEqualTo(CircuitState.CLOSED);
    call(circuit, down);
    assertThat(state(circuit)).isEqualTo(CircuitState.OPEN);
  }

  @Test
  void tellsWhereItStands() {
    Circuit circuit = circuit(100, 3, 3, 1);
    assertThat(circuit.level()).isZero();
    pass(Duration.ofMinutes(1));
    for (int i = 0; i < 3; i++) {
      call(circuit, down);
    }
    Instant opened = clock.now();
    assertThat(circuit.level()).isEqualTo(2);
    assertThat(circuit.explain().since()).isEqualTo(opened);
    assertThat(circuit.explain().probing()).contains(opened.plus(OPEN_FOR));
    pass(OPEN_FOR);
    Circuit.Phase probe = begin(circuit);
    assertThat(circuit.level()).isEqualTo(1);
    assertThat(circuit.explain().probing()).isEmpty();
    assertThat(circuit.ended(probe, null)).isTrue();
    assertThat(circuit.level()).isZero();
  }
}
