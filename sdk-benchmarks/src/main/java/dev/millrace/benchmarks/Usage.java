package dev.millrace.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Map;

/** What this process has used, up to a moment or between two. */
record Usage(
    long nanos, long handled, long cpuNanos, long allocatedBytes, long collections, long gcMillis) {

  /** Up to now. Of threads that have ended it is not known what they have allocated. */
  static Usage of(Handling handling) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    var process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    var collectors = ManagementFactory.getGarbageCollectorMXBeans();
    long allocated =
        Arrays.stream(threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
            .filter(bytes -> bytes > 0)
            .sum();
    long collections =
        collectors.stream().mapToLong(GarbageCollectorMXBean::getCollectionCount).sum();
    long gcMillis = collectors.stream().mapToLong(GarbageCollectorMXBean::getCollectionTime).sum();
    long cpuNanos = process.getProcessCpuTime();
    // Last and together: the rate is made of these two.
    return new Usage(
        System.nanoTime(), handling.handled(), cpuNanos, allocated, collections, gcMillis);
  }

  Usage since(Usage start) {
    return new Usage(
        nanos - start.nanos,
        handled - start.handled,
        cpuNanos - start.cpuNanos,
        allocatedBytes - start.allocatedBytes,
        collections - start.collections,
        gcMillis - start.gcMillis);
  }

  double perSecond() {
    return 1e9 * handled / nanos;
  }

  void addTo(Map<String, Double> figures) {
    figures.put("CPU us/record", cpuNanos / 1e3 / handled);
    figures.put("bytes/record", (double) allocatedBytes / handled);
    figures.put("GCs", (double) collections);
    figures.put("GC ms", (double) gcMillis);
  }
}
