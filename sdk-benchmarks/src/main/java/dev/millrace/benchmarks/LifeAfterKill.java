package dev.millrace.benchmarks;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Handles what is left, and counts what had been handled before. */
final class LifeAfterKill implements Measurement {
  private static final int NUMBER = 2;

  /** When nothing came for so long, nothing more will; the committed offsets are checked later. */
  private static final Duration QUIET = Duration.ofSeconds(3);

  /** The group needs its session timeout to see that the killed member is gone. */
  private static final Duration LONGEST_REBALANCE = Duration.ofSeconds(30);

  private final Marks marks;
  private final long handledBefore;

  LifeAfterKill(Marks marks) {
    this.marks = marks;
    this.handledBefore = marks.inAll(LifeToBeKilled.NUMBER);
  }

  @Override
  public void handled(int sequence, byte[] value) {
    marks.mark(sequence, NUMBER);
  }

  @Override
  public Map<String, Double> measure(Handling handling) throws InterruptedException {
    awaitEnd(handling);
    double twice = marks.inAll(LifeToBeKilled.NUMBER | NUMBER);
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("handled before", (double) handledBefore);
    figures.put("again", twice);
    figures.put("% again", 100 * twice / handledBefore);
    figures.put("lost", (double) marks.inNone());
    return figures;
  }

  private void awaitEnd(Handling handling) throws InterruptedException {
    long before = 0;
    long since = System.nanoTime();
    while (true) {
      long now = handling.handled();
      Duration quiet = Duration.ofNanos(System.nanoTime() - since);
      if (now != before) {
        before = now;
        since = System.nanoTime();
      } else if (quiet.compareTo(marks.inNone() == 0 ? QUIET : LONGEST_REBALANCE) > 0) {
        return;
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  @Override
  public String problems(Handling handling) {
    if (marks.inNone() > 0) {
      return marks.inNone() + " records were lost";
    }
    return handledBefore == handling.records() ? "the kill came after the last record" : "";
  }
}
