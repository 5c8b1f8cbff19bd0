package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Whole engines, with a broker and a group, on one thread and in a time of their own: rebalances,
 * lost sessions, kills, refused commits, failing and hanging handlers, pauses and seeks, logs that
 * are cut or made anew, in an order drawn from a seed. What must hold is checked after every step.
 *
 * <p>{@code -Dmillrace.simulation.seeds=200000} lives through more, {@code
 * -Dmillrace.simulation.from=4711} begins elsewhere.
 */
class SimulationTest {
  private final Logger log = (Logger) LoggerFactory.getLogger("dev.millrace");
  private final Level level = log.getLevel();

  @BeforeEach
  void silence() {
    log.setLevel(Level.OFF);
  }

  @AfterEach
  void speak() {
    log.setLevel(level);
  }

  /** A check that has never gone red proves nothing. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("bugs")
  void everyBugIsFound(String name, SimBug bug) {
    SimOracle.Violation found = null;
    long seed = 0;
    while (found == null && seed < 2_000) {
      try {
        SimWorld.live(seed, bug);
        seed++;
      } catch (SimOracle.Violation violation) {
        found = violation;
      }
    }
    assertThat(found).as("%s, in 2,000 worlds", name).isNotNull();
    System.out.printf("%s: found in world %d, %s%n", name, seed, found.getCause());
  }

  static Stream<Arguments> bugs() {
    return SimBugs.all().entrySet().stream().map(bug -> Arguments.of(bug.getKey(), bug.getValue()));
  }

  @Test
  void whatMustHoldHoldsInEveryWorld() {
    int seeds = Integer.getInteger("millrace.simulation.seeds", 20_000);
    long from = Long.getLong("millrace.simulation.from", 0);
    Queue<Throwable> broken = new ConcurrentLinkedQueue<>();
    long start = System.nanoTime();

    LongStream.range(from, from + seeds)
        .parallel()
        .forEach(
            seed -> {
              if (broken.isEmpty()) {
                try {
                  SimWorld.live(seed, SimBug.NONE);
                } catch (SimOracle.Violation violation) {
                  broken.add(violation);
                }
              }
            });

    System.out.printf(
        "%d worlds in %d s, %d violations%n",
        seeds, (System.nanoTime() - start) / 1_000_000_000, broken.size());
    assertThat(broken).isEmpty();
  }
}
