package dev.millrace.testkit.guarantee;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The records of a key start in the order of their offsets, in one process and across processes. A
 * record may start again only after its owner crashed or lost the partition, and never for the
 * first time when a later one has started, unless somebody sought back to it.
 */
final class OrderPerKey implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    List<Violation> violations = new ArrayList<>();
    Keys.of(evidence.deliveries())
        .values()
        .forEach(ofKey -> violations.addAll(check(ofKey, evidence.timeline())));
    return violations;
  }

  private static List<Violation> check(List<Delivery> ofKey, Timeline timeline) {
    List<Violation> violations = new ArrayList<>();
    Set<Long> seen = new HashSet<>();
    // Those that a coming start could contradict: the last one on top, offsets rising downwards.
    Deque<Delivery> earlier = new ArrayDeque<>();
    for (Delivery delivery : ofKey) {
      long offset = delivery.place().offset();
      boolean again = !seen.add(offset);
      Delivery ahead = contradicted(delivery, again, earlier, timeline);
      if (ahead != null) {
        violations.add(
            Violation.of(
                delivery.place() + " key " + delivery.key(),
                "starts in the order of offsets, and again only after a crash or a loss",
                (again ? "started again after " : "started after ") + ahead.place() + ":",
                ahead.start(),
                ahead.end(),
                delivery.start()));
      }
      while (!earlier.isEmpty() && earlier.peek().place().offset() <= offset) {
        earlier.pop();
      }
      earlier.push(delivery);
    }
    return violations;
  }

  private static @Nullable Delivery contradicted(
      Delivery delivery, boolean again, Deque<Delivery> earlier, Timeline timeline) {
    boolean unaware = again && timeline.takenUnseen(delivery) != null;
    for (Delivery ahead : earlier) {
      long distance = ahead.place().offset() - delivery.place().offset();
      boolean first = !again && distance > 0 && timeline.seekBetween(ahead, delivery) == null;
      boolean other = unaware && ahead.incarnation() != delivery.incarnation();
      boolean repeated =
          again && distance >= 0 && !other && timeline.breakBetween(ahead, delivery) == null;
      if (first || repeated) {
        return ahead;
      }
    }
    return null;
  }
}
