package dev.millrace.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The time from when a record was to be sent to the end of its handler, for the records that are
 * not slow by themselves. A sender that is late makes it longer, not the distances.
 */
final class Latency implements Measurement {
  private final Workload workload;

  /** By record; each is written once, before its handler is counted. */
  private final long[] nanos;

  Latency(Workload workload, int records) {
    this.workload = workload;
    this.nanos = new long[records];
  }

  @Override
  public void handled(int sequence, byte[] value) {
    nanos[sequence] = System.nanoTime() - Payload.sentNanos(value);
  }

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    handling.await(nanos.length);
    long[] fast =
        IntStream.range(nanos.length / 100 * workload.warmUpPercent(), nanos.length)
            .filter(sequence -> !workload.isSlow(sequence))
            .mapToLong(sequence -> nanos[sequence])
            .sorted()
            .toArray();
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("p50 ms", millis(fast, 0.5));
    figures.put("p99 ms", millis(fast, 0.99));
    figures.put("p99.9 ms", millis(fast, 0.999));
    figures.put("max ms", millis(fast, 1));
    return figures;
  }

  private static double millis(long[] sorted, double share) {
    return sorted[(int) Math.ceil(share * sorted.length) - 1] / 1e6;
  }

  @Override
  public String problems(Handling handling) {
    return Measurement.eachOnce(handling);
  }
}
