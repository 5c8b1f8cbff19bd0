package dev.millrace.testkit.guarantee;

import java.util.List;

/** Looks for what breaks a guarantee. A pure function of the evidence. */
@FunctionalInterface
interface Check {
  /**
   * Returns what breaks it; empty when it holds.
   *
   * @throws Inconclusive if the evidence is not enough to say
   */
  List<Violation> check(Evidence evidence);
}
