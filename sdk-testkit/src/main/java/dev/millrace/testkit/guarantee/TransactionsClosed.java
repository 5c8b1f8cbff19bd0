package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.util.ArrayList;
import java.util.List;

/** No transaction is open: none that a coordinator knows, and none that a partition waits for. */
final class TransactionsClosed implements Check {
  @Override
  public List<Violation> check(Evidence evidence) {
    List<Violation> violations = new ArrayList<>();
    for (OpenTransaction open : evidence.openTransactions()) {
      violations.add(
          Violation.of(
              open.transactionalId(),
              "no open transaction",
              open.state() + " in " + open.partitions() + ", producer " + open.producerId()));
    }
    for (Commit pending : evidence.pendingCommits()) {
      violations.add(
          Violation.of(
              pending.partition().toString(),
              "no commit in an open transaction",
              "one of producer " + pending.producerId() + ":",
              pending));
    }
    evidence
        .offsets()
        .forEach(
            (partition, offsets) -> {
              if (offsets.lastStable() < offsets.end()) {
                violations.add(stuck(partition.toString(), offsets));
              }
            });
    return violations;
  }

  private static Violation stuck(String partition, Offsets offsets) {
    return Violation.of(
        partition,
        "the last stable offset at the end, " + offsets.end(),
        "it is " + offsets.lastStable() + ": a transaction is open there");
  }
}
