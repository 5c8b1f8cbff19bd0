package dev.millrace;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionResult;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.datastructures.verifier.Verifier;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario of a few threads again and again, each time with other switches between them:
 * first with one switch, then with two, and so on. Memory is sequentially consistent in it, and
 * neither a park nor an interrupt of a {@link Thread} has an effect.
 */
public final class Interleavings {
  /** How many runs a scenario has. */
  private static final int RUNS = Integer.getInteger("millrace.interleavings", 500);

  private static volatile @Nullable Supplier<Scenario> next;

  private Interleavings() {}

  /**
   * What runs beside each other, each in a thread of its own, and what must hold when all have
   * ended.
   */
  public record Scenario(List<Runnable> parts, Runnable end) {

    /** Returns the same with what must hold when all have ended. */
    public Scenario then(Runnable check) {
      return new Scenario(parts, check);
    }
  }

  /** Returns a scenario of these threads. */
  public static Scenario together(Runnable... parts) {
    return new Scenario(List.of(parts), () -> {});
  }

  /**
   * Fails when a run throws, or hangs, and shows its switches.
   *
   * @param made anew for each run
   */
  public static void check(Supplier<Scenario> made) {
    next = made;
    int threads = made.get().parts().size();
    new ModelCheckingOptions()
        .iterations(0)
        .invocationsPerIteration(RUNS)
        .minimizeFailedScenario(false)
        .verifier(AnyResult.class)
        .addGuarantee(
            forClasses((String name) -> name.startsWith("org.apache.kafka.")).allMethods().ignore())
        .addGuarantee(
            forClasses((String name) -> name.startsWith("java.util.") && !name.contains("Lock"))
                .allMethods()
                .treatAsAtomic())
        .addCustomScenario(
            new ExecutionScenario(
                List.of(),
                IntStream.range(0, threads).mapToObj(Interleavings::part).toList(),
                List.of(),
                null))
        .check(Run.class);
  }

  private static List<Actor> part(int number) {
    try {
      return List.of(new Actor(Run.class.getMethod("part", int.class), List.of(number)));
    } catch (NoSuchMethodException e) {
      throw new AssertionError(e);
    }
  }

  /** Fails the run; an assertion library's own reads and writes would only be more to switch at. */
  public static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  /** Waits, in a part, for a thread that it has started. */
  public static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** One run; made, and called, by Lincheck. */
  public static final class Run {
    private final Scenario scenario = Objects.requireNonNull(next).get();
    private volatile @Nullable Throwable thrown;

    /** One of the threads. */
    public void part(int number) {
      try {
        scenario.parts().get(number).run();
      } catch (Throwable failed) {
        thrown = failed;
      }
    }

    /** When all have ended. */
    @Validate
    public void end() throws Throwable {
      if (thrown != null) {
        throw thrown;
      }
      scenario.end().run();
    }
  }

  /** What parts return says nothing here; made by Lincheck, with the class that it runs. */
  public static final class AnyResult implements Verifier {
    @SuppressWarnings("UnusedVariable")
    public AnyResult(Class<?> ignored) {}

    @Override
    public boolean verifyResults(ExecutionScenario scenario, ExecutionResult result) {
      return true;
    }
  }
}
