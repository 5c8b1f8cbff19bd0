package dev.millrace.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a handle costs, the counting of it included. */
final class HandleCost implements Measurement {
  private final int warmUpPercent;

  HandleCost(Workload workload) {
    this.warmUpPercent = workload.warmUpPercent();
  }

  @Override
  public void handled(int sequence, byte[] value) {}

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    handling.await(handling.records() / 100L * warmUpPercent);
    Usage start = Usage.of(handling);
    handling.await(handling.records());
    Usage used = Usage.of(handling).since(start);
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("ns/handle", 1e9 / used.perSecond());
    figures.put("bytes/handle", (double) used.allocatedBytes() / used.handled());
    return figures;
  }

  @Override
  public String problems(Handling handling) {
    return Measurement.eachOnce(handling);
  }
}
