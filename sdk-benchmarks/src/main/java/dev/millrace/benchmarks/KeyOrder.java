package dev.millrace.benchmarks;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Checks that the records of each key are handled one after the other and in the order in which
 * they were sent. Then none is handled twice, and when as many have been handled as there are, each
 * has been. Any thread; two atomic writes a record.
 */
final class KeyOrder {
  private static final int NONE = -1;

  private final Workload workload;

  /** By key the last record that ended; while one runs, its bitwise complement less one. */
  private final AtomicIntegerArray last;

  private final LongAdder overlaps = new LongAdder();
  private final LongAdder outOfOrder = new LongAdder();

  KeyOrder(Workload workload) {
    this.workload = workload;
    int[] none = new int[Math.min(workload.keys(), workload.records())];
    Arrays.fill(none, NONE);
    this.last = new AtomicIntegerArray(none);
  }

  void started(int sequence) {
    int before = last.getAndSet(workload.keyOf(sequence), running(sequence));
    if (before < NONE) {
      overlaps.increment();
    } else if (before >= sequence) {
      outOfOrder.increment();
    }
  }

  void ended(int sequence) {
    if (!last.compareAndSet(workload.keyOf(sequence), running(sequence), sequence)) {
      overlaps.increment();
    }
  }

  private static int running(int sequence) {
    return NONE - 1 - sequence;
  }

  /** Returns what was wrong; empty when nothing was. */
  String problems() {
    if (overlaps.sum() + outOfOrder.sum() == 0) {
      return "";
    }
    return "%d records handled beside one of their key, %d after a later one or again"
        .formatted(overlaps.sum(), outOfOrder.sum());
  }
}
