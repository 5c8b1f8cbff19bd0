package dev.millrace.testkit.guarantee;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two records of a key are never in the hands of a process at the same time; or, across processes,
 * of any two.
 */
final class NoOverlap implements Check {
  private final boolean acrossProcesses;

  NoOverlap(boolean acrossProcesses) {
    this.acrossProcesses = acrossProcesses;
  }

  @Override
  public List<Violation> check(Evidence evidence) {
    List<Violation> violations = new ArrayList<>();
    for (List<Delivery> ofKey : Keys.of(evidence.deliveries()).values()) {
      Map<@Nullable Object, Delivery> longest = new HashMap<>();
      for (Delivery delivery : ofKey) {
        Object space = acrossProcesses ? "all" : delivery.incarnation();
        Delivery before = longest.get(space);
        if (before != null && endOf(before) > delivery.start().nanos()) {
          violations.add(
              Violation.of(
                  delivery.place() + " key " + delivery.key(),
                  "started when no other record of its key is being handled",
                  before.place()
                      + (before.end() == null ? " had not ended at all:" : " had not ended:"),
                  before.start(),
                  delivery.start(),
                  before.end()));
        }
        if (before == null || endOf(before) < endOf(delivery)) {
          longest.put(space, delivery);
        }
      }
    }
    return violations;
  }

  /** What never ended went on as long as its process is known to have lived. */
  private static long endOf(Delivery delivery) {
    return delivery.end() == null ? delivery.incarnation().last().nanos() : delivery.end().nanos();
  }
}
