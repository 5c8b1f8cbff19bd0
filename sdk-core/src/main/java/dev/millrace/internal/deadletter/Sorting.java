package dev.millrace.internal.deadletter;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import java.util.HashMap;
import java.util.Map;

/**
 * Says of open dead letters, one after the other, which are redriven, and counts. Of one thread.
 */
final class Sorting {
  private final Scope scope;
  private final Redrive what;
  private final WayBack wayBack;
  private final Map<String, Long> byCause = new HashMap<>();
  private long chosen;
  private long quarantined;
  private long foreign;
  private long incomplete;
  private long tooLarge;

  Sorting(Scope scope, Redrive what, WayBack wayBack) {
    this.scope = scope;
    this.what = what;
    this.wayBack = wayBack;
  }

  /** Whether no more may be chosen. */
  boolean isFull() {
    return chosen >= what.most();
  }

  /** Returns whether the dead letter is to be redriven; it is counted as if it were. */
  boolean choose(DeadLetter letter) {
    if (!what.filter().matches(letter)) {
      return false;
    }
    if (!scope.sources().test(letter.origin().partition().topic())) {
      foreign++;
      return false;
    }
    if (letter.redrives() >= what.quarantineAfter()) {
      quarantined++;
      return false;
    }
    if (!letter.isComplete()) {
      incomplete++;
      return false;
    }
    if (!wayBack.fits(letter)) {
      tooLarge++;
      return false;
    }
    chosen++;
    byCause.merge(letter.cause(), 1L, Long::sum);
    return true;
  }

  RedriveReport report() {
    return new RedriveReport(chosen, quarantined, foreign, incomplete, tooLarge, byCause);
  }
}
