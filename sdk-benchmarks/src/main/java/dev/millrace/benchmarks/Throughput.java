package dev.millrace.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

/** Records per second and what each costs, from the end of the warm-up to the end of the last. */
final class Throughput implements Measurement {
  static final String RATE = "records/s";
  static final String SHARE = "% of limit";

  /** What the end of a record is, besides its handler's. */
  interface End {
    /** Waits, when all have been handled, until the last one has ended. */
    void await() throws InterruptedException;
  }

  private final int warmUpPercent;
  private final double limit;
  private final End end;

  Throughput(Workload workload, int records, End end) {
    this.warmUpPercent = workload.warmUpPercent();
    this.limit = workload.limit(records);
    this.end = end;
  }

  @Override
  public void handled(int sequence, byte[] value) {}

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    Usage.of(handling); // Loads what it needs, so that it is quick when it counts.
    handling.await(handling.records() / 100L * warmUpPercent);
    Usage start = Usage.of(handling);
    handling.await(handling.records());
    end.await();
    Usage used = Usage.of(handling).since(start);
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put(RATE, used.perSecond());
    if (Double.isFinite(limit)) {
      figures.put(SHARE, 100 * used.perSecond() / limit);
    }
    used.addTo(figures);
    return figures;
  }

  @Override
  public String problems(Handling handling) {
    return Measurement.eachOnce(handling);
  }
}
