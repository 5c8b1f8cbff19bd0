package dev.millrace.testkit.fault;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One fault of a run, from its begin to its heal. For the thread of the run alone. */
final class StepRun {
  private final FaultStep step;
  private final Supplier<Fault> source;
  private final List<String> doubts = new ArrayList<>();
  private @Nullable Fault fault;
  private boolean healed;
  private long before;
  private long effect;

  StepRun(FaultStep step, Supplier<Fault> source) {
    this.step = step;
    this.source = source;
  }

  /** Begins the fault; {@code record} hears of it before it has any effect. */
  void begin(Consumer<String> record) {
    attempt(
        "could not begin",
        () -> {
          Fault next = source.get();
          before = next.witness().getAsLong();
          record.accept(next.name());
          fault = next;
          next.begin().run();
        });
  }

  /** Heals what has begun; {@code record} hears of it when there is no effect any more. */
  void heal(Consumer<String> record) {
    Fault begun = fault;
    if (begun == null || healed) {
      return;
    }
    look(begun);
    attempt(
        "could not be healed",
        () -> {
          begun.heal().run();
          healed = true;
        });
    look(begun);
    if (healed) {
      attempt("its heal could not be recorded", () -> record.accept(begun.name()));
    }
  }

  boolean isWhole() {
    return fault == null || healed;
  }

  private void look(Fault begun) {
    attempt(
        "its witness failed",
        () -> effect = Math.max(effect, begun.witness().getAsLong() - before));
  }

  /** Nothing that goes wrong with one fault may keep it, or another, from being healed. */
  private void attempt(String failure, Fault.Action action) {
    try {
      action.run();
    } catch (Throwable e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      doubts.add(failure + ": " + e);
    }
  }

  boolean hasFailed() {
    return !doubts.isEmpty();
  }

  /** Returns why this fault proves nothing; nothing if it was healed and witnessed. */
  List<String> doubts() {
    List<String> all = new ArrayList<>(doubts);
    if (fault != null && effect <= 0) {
      all.add("no effect was witnessed");
    }
    return all.stream().map(doubt -> step + ": " + doubt).toList();
  }

  @Override
  public String toString() {
    String end =
        fault == null ? "not begun" : (healed ? "healed" : "NOT healed") + ", witnessed " + effect;
    return step.aligned() + (fault == null ? "" : " (" + fault.name() + ")") + ": " + end;
  }
}
