package dev.millrace.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

/** Records per second and what each costs, from the end of the warm-up to the last record. */
final class Throughput implements Measurement {
  static final String RATE = "records/s";
  static final String SHARE = "% of limit";

  /** For the JIT compiler, which would else be measured for most of its time. */
  private static final int WARM_UP_PERCENT = 20;

  private final double limit;

  Throughput(Workload workload, int records) {
    this.limit = workload.limit(records);
  }

  @Override
  public void handled(int sequence, byte[] value) {}

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    Usage.of(handling); // Loads what it needs, so that it is quick when it counts.
    handling.await(handling.records() / 100L * WARM_UP_PERCENT);
    Usage start = Usage.of(handling);
    handling.await(handling.records());
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
