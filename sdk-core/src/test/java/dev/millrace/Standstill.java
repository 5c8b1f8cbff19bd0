package dev.millrace;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.RecordAt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;

/** For how long a rebalance kept partitions from being handled, seen in histories. */
final class Standstill {

  /** A rebalance: its time by the monotonic clock, and who owned what before and after it. */
  record Rebalance(
      long begin, long end, Map<TopicPartition, String> before, Map<TopicPartition, String> after) {

    boolean moved(TopicPartition partition) {
      return !Objects.equals(before.get(partition), after.get(partition));
    }
  }

  private final Map<TopicPartition, TreeSet<Long>> ends = new HashMap<>();
  private final List<Rebalance> rebalances;

  Standstill(List<Event> events, List<Rebalance> rebalances) {
    this.rebalances = rebalances;
    for (Event event : events) {
      RecordAt record = event.record();
      if (event.kind() == Kind.ENDED && record != null) {
        ends.computeIfAbsent(record.partition(), partition -> new TreeSet<>()).add(event.nanos());
      }
    }
  }

  /** Returns one line: of each rebalance the worst gap of what moved, and of what stayed. */
  String summary() {
    return "standstill of what moved %s; of what stayed %s"
        .formatted(percentiles(worst(true)), percentiles(worst(false)));
  }

  private List<Long> worst(boolean moved) {
    List<Long> worst = new ArrayList<>();
    for (Rebalance rebalance : rebalances) {
      rebalance.after().keySet().stream()
          .filter(partition -> rebalance.moved(partition) == moved)
          .mapToLong(partition -> longestGap(partition, rebalance))
          .max()
          .ifPresent(worst::add);
    }
    worst.sort(null);
    return worst;
  }

  /** The longest time between two ends that overlaps with the rebalance. */
  private long longestGap(TopicPartition partition, Rebalance rebalance) {
    TreeSet<Long> of = ends.getOrDefault(partition, new TreeSet<>());
    Long from = of.floor(rebalance.begin());
    long last = from == null ? rebalance.begin() : from;
    long longest = 0;
    for (long end : of.tailSet(last, false)) {
      longest = Math.max(longest, end - last);
      last = end;
      if (end > rebalance.end()) {
        break;
      }
    }
    return longest;
  }

  private static String percentiles(List<Long> sorted) {
    return sorted.isEmpty()
        ? "(nothing)"
        : "p50 %d ms, p99 %d ms".formatted(percentile(sorted, 50), percentile(sorted, 99));
  }

  private static long percentile(List<Long> sorted, int percent) {
    int rank = (sorted.size() * percent + 99) / 100;
    return TimeUnit.NANOSECONDS.toMillis(sorted.get(rank - 1));
  }
}
