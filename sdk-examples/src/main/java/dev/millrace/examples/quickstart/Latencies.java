package dev.millrace.examples.quickstart;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Times from the send to the end of the handler, in milliseconds. Any thread. */
final class Latencies {
  private final Queue<Long> millis = new ConcurrentLinkedQueue<>();

  void add(long value) {
    millis.add(value);
  }

  /** Returns the time within which this share of the orders was handled; 0 when there are none. */
  long percentile(double share) {
    long[] sorted = millis.stream().mapToLong(Long::longValue).sorted().toArray();
    return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(share * sorted.length) - 1];
  }
}
