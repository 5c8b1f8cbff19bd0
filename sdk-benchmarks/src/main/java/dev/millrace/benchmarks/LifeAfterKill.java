package dev.millrace.benchmarks;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Handles what is left, and counts what had been handled before. */
final class LifeAfterKill implements Measurement {
  /** In three seconds' work. */
  private static final double WORK_NANOS = 3e9;

  /**
   * On top of the commit interval: how long a commit is on its way. One that is due waits for the
   * poll under way, and counts when the broker has it.
   */
  private static final long ON_ITS_WAY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** When nothing came for so long, nothing more will; the committed offsets are checked later. */
  private static final Duration QUIET = Duration.ofSeconds(3);

  /** The group needs its session timeout to see that the killed member is gone. */
  private static final Duration LONGEST_REBALANCE = Duration.ofSeconds(30);

  private final Workload workload;
  private final Marks marks;
  private final long killedNanos;

  LifeAfterKill(Workload workload, Marks marks) {
    this.workload = workload;
    this.marks = marks;
    this.killedNanos = marks.killedNanos();
  }

  @Override
  public void handled(int sequence, byte[] value) {
    marks.mark(sequence, Marks.HANDLED_LATER);
  }

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    awaitEnd(handling);
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("in flight at the kill", (double) marks.inFlight());
    figures.put("running", (double) marks.count(Marks.BEGUN, Marks.HANDLED));
    figures.put("handled before", (double) marks.count(Marks.HANDLED, 0));
    figures.put("in the last interval", (double) handledInInterval());
    figures.put("redone", (double) marks.count(Marks.BEGUN | Marks.HANDLED_LATER, 0));
    figures.put("handled again", (double) again());
    figures.put("from the last ms", (killedNanos - marks.oldestRepeatedNanos()) / 1e6);
    figures.put(
        "% of 3 s again", 100.0 * again() / marks.handledSince(killedNanos - (long) WORK_NANOS));
    figures.put("lost", (double) lost());
    return figures;
  }

  private long again() {
    return marks.count(Marks.HANDLED | Marks.HANDLED_LATER, 0);
  }

  private long lost() {
    return marks.count(0, Marks.HANDLED | Marks.HANDLED_LATER);
  }

  private long handledInInterval() {
    return marks.handledSince(
        killedNanos - TimeUnit.MILLISECONDS.toNanos(workload.commitMillis()) - ON_ITS_WAY_NANOS);
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
      } else if (quiet.compareTo(lost() == 0 ? QUIET : LONGEST_REBALANCE) > 0) {
        return;
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  @Override
  public String problems(Handling handling) {
    if (lost() > 0) {
      return lost() + " records were lost";
    }
    if (marks.count(Marks.HANDLED, 0) == handling.records()) {
      return "the kill came after the last record";
    }
    if (workload.inFlight() == 0) {
      return "";
    }
    if (marks.inFlight() < workload.inFlight()) {
      return "only %,d were in flight at the kill".formatted(marks.inFlight());
    }
    return again() <= handledInInterval()
        ? ""
        : "%,d records were handled again, but only %,d in the last interval and %d ms"
            .formatted(
                again(), handledInInterval(), TimeUnit.NANOSECONDS.toMillis(ON_ITS_WAY_NANOS));
  }
}
