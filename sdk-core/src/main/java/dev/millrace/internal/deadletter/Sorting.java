package dev.millrace.internal.deadletter;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.internal.time.LogThrottle;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says of open dead letters, one after the other, which are redriven, and counts. Of one thread.
 */
final class Sorting {
  private static final Logger LOG = LoggerFactory.getLogger(Sorting.class);

  private final Scope scope;
  private final Redrive what;
  private final boolean dryRun;
  private final WayBack wayBack;
  private final Origins origins;
  private final LogThrottle log = new LogThrottle();
  private final Map<String, Long> byCause = new HashMap<>();
  private long chosen;
  private long quarantined;
  private long foreign;
  private long incomplete;
  private long tooLarge;
  private long compacted;

  /**
   * @param dryRun whether what is chosen is counted only
   * @param origins complete what is not; stay the caller's to close
   */
  Sorting(Scope scope, Redrive what, boolean dryRun, WayBack wayBack, Origins origins) {
    this.scope = scope;
    this.what = what;
    this.dryRun = dryRun;
    this.wayBack = wayBack;
    this.origins = origins;
  }

  /** Whether no more may be chosen. */
  boolean isFull() {
    return chosen >= what.most();
  }

  /**
   * Returns the dead letter with nothing left out, when it is to be redriven; it is counted as if
   * it were.
   */
  Optional<DeadLetter> choose(DeadLetter letter) {
    if (!what.filter().matches(letter)) {
      return Optional.empty();
    }
    if (!scope.sources().test(letter.origin().partition().topic())) {
      foreign++;
      return Optional.empty();
    }
    if (!wayBack.isThere(letter)) {
      foreign++;
      logStays(letter, "its topic is not there any more");
      return Optional.empty();
    }
    if (letter.redrives() >= what.quarantineAfter()) {
      quarantined++;
      return Optional.empty();
    }
    if (!what.intoCompacted() && wayBack.isCompacted(letter)) {
      compacted++;
      logStays(
          letter,
          "its topic is compacted, so it would take the place of newer records of its key, for all groups; redrive it by alsoIntoCompacted() if that does no harm");
      return Optional.empty();
    }
    Optional<DeadLetter> whole =
        letter.isComplete() ? Optional.of(letter) : origins.completed(letter);
    if (whole.isEmpty()) {
      incomplete++;
      logStays(letter, "a part was left out, and its record is not where it came from any more");
      return Optional.empty();
    }
    if (!wayBack.fits(whole.get())) {
      tooLarge++;
      logStays(
          letter,
          "with the headers of a redrive it does not fit; raise the topic's 'max.message.bytes'");
      return Optional.empty();
    }
    chosen++;
    byCause.merge(letter.cause(), 1L, Long::sum);
    return whole;
  }

  private void logStays(DeadLetter letter, String why) {
    String end = log.permit();
    if (end != null) {
      LOG.warn(
          "{}: the dead letter at {}@{}, from {}, {}: {}.{}",
          scope.owner(),
          letter.partition(),
          letter.offset(),
          letter.origin(),
          dryRun ? "would stay" : "stays",
          why,
          end);
    }
  }

  RedriveReport report() {
    return new RedriveReport(
        dryRun, chosen, quarantined, foreign, incomplete, tooLarge, compacted, byCause);
  }
}
