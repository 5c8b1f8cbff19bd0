package dev.millrace.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/**
 * Records per second of the keys that do not rest, from the end of their warm-up to the end of
 * their last; then all others are waited for. Whoever has none rest counts the same keys.
 */
final class ThroughputBesideRest implements Measurement {
  private final Workload workload;
  private final long others;
  private final LongAdder handled = new LongAdder();

  ThroughputBesideRest(Workload workload, int records) {
    this.workload = workload;
    this.others = IntStream.range(0, records).filter(sequence -> !workload.rests(sequence)).count();
  }

  @Override
  public void handled(int sequence, byte[] value) {
    if (!workload.rests(sequence)) {
      handled.increment();
    }
  }

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    handling.await(others / 100 * workload.warmUpPercent(), handled::sum);
    long before = handled.sum();
    long start = System.nanoTime();
    handling.await(others, handled::sum);
    long nanos = System.nanoTime() - start;
    long resting = handling.records() - handling.handled();
    handling.await(handling.records());
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put(Throughput.RATE, 1e9 * (others - before) / nanos);
    figures.put("s", nanos / 1e9);
    figures.put("not handled by then", (double) resting);
    return figures;
  }

  @Override
  public String problems(Handling handling) {
    return Measurement.eachOnce(handling);
  }
}
