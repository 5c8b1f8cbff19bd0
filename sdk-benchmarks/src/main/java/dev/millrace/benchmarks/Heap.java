package dev.millrace.benchmarks;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What is left in the heap by full collections while records are handled, and, when the first
 * record of each partition is stuck, once more after these have ended. What is in flight is in it.
 */
final class Heap implements Measurement {
  private static final int[] AT_PERCENT = {1, 25, 50, 75, 100};
  private static final int EARLY = 25;

  private final boolean stuck;
  private final int partitions;

  /** What has ended is let go of with one of the next commits. */
  private final long settleMillis;

  Heap(Workload workload) {
    this.stuck = workload.stuck();
    this.partitions = workload.partitions();
    this.settleMillis = 10L * workload.commitMillis();
  }

  @Override
  public boolean isStuck() {
    return stuck;
  }

  @Override
  public void handled(int sequence, byte[] value) {}

  @Override
  public Map<String, Double> measure(Handling handling, Contender.Running running)
      throws InterruptedException {
    Map<String, Double> figures = new LinkedHashMap<>();
    int free = handling.records() - (stuck ? partitions : 0);
    double early = 0;
    double all = 0;
    for (int percent : AT_PERCENT) {
      handling.await((long) free * percent / 100);
      all = megabytes();
      if (percent == EARLY) {
        early = all;
      }
      figures.put("MB at " + percent + " %", all);
    }
    handling.release();
    handling.await(handling.records());
    if (stuck) {
      TimeUnit.MILLISECONDS.sleep(settleMillis);
      double released = megabytes();
      figures.put("MB released", released);
      figures.put("bytes/tracked offset", 1e6 * (all - released) / free);
    } else {
      figures.put(
          "bytes more/record since MB at " + EARLY + " %",
          1e6 * (all - early) * 100 / (free * (100.0 - EARLY)));
    }
    return figures;
  }

  /** Collects, and reads what was left at the end of just that, since handlers go on. */
  private static double megabytes() {
    System.gc();
    Set<String> pools =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getName)
            .collect(Collectors.toSet());
    GcInfo last =
        ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class).stream()
            .map(GarbageCollectorMXBean::getLastGcInfo)
            .filter(Objects::nonNull)
            .max(Comparator.comparingLong(GcInfo::getEndTime))
            .orElseThrow();
    return last.getMemoryUsageAfterGc().entrySet().stream()
            .filter(pool -> pools.contains(pool.getKey()))
            .mapToLong(pool -> pool.getValue().getUsed())
            .sum()
        / 1e6;
  }

  @Override
  public String problems(Handling handling) {
    return Measurement.eachOnce(handling);
  }
}
