package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.history.Outcome;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * Something a consumer or a producer promises, checked against what happened.
 *
 * <p>A guarantee that lacks the evidence it needs is {@link Status#INCONCLUSIVE}; it never passes
 * because it saw nothing. What breaks it is listed with the events that show it.
 *
 * <p>Immutable.
 */
public final class Guarantee {
  private final String name;
  private final Check check;

  private Guarantee(String name, Check check) {
    this.name = name;
    this.check = check;
  }

  /**
   * Every record has an end in some process, handled, dead-lettered or skipped: all that the source
   * topics hold, and all sends to them that were acknowledged. Needs a history of handlings, and
   * the source topics or acknowledged sends.
   */
  public static Guarantee noLoss() {
    return new Guarantee("no loss", new NoLoss());
  }

  /**
   * Every acknowledged send is in the log at its offset with its key and its value, and no two are
   * in one place; one whose offset the broker did not tell is anywhere in its partition. Needs a
   * history of sends and what their topics hold; what was sent in a transaction that was aborted
   * must not be recorded as acknowledged.
   */
  public static Guarantee ackedInLog() {
    return new Guarantee("acked in log", new AckedInLog());
  }

  /**
   * No record is handled twice. A handler that started and left no end may have done its work, so
   * it counts. Needs a history of handlings.
   */
  public static Guarantee noDuplicates() {
    return new Guarantee("no duplicates", Redo::none);
  }

  /**
   * A record is handled twice only when its owner crashed, ended or gave the partition up between,
   * and no more than {@code limit} records each time that happened; after a recorded seek, any
   * number. Needs a history of handlings, and for rebalances one of assignments.
   *
   * @param limit what may be in flight: 0 or more
   * @throws IllegalArgumentException if it is negative
   */
  public static Guarantee boundedRedo(int limit) {
    if (limit < 0) {
      throw new IllegalArgumentException("The limit must not be negative, but is " + limit);
    }
    return new Guarantee("bounded redo", Redo.bounded(limit));
  }

  /**
   * The records of a key in a partition start in the order of their offsets, in one process and
   * across processes; a repetition only after a crash, a loss of ownership or a recorded seek, and
   * none starts for the first time when a later one has, but after a recorded seek. Needs a history
   * of handlings with keys.
   */
  public static Guarantee orderPerKey() {
    return new Guarantee("order per key", new OrderPerKey());
  }

  /**
   * No process has two records of a key and partition in its hands at once: the next one starts
   * when the one before has ended, its attempts in place included. Needs a history of handlings
   * with keys.
   */
  public static Guarantee noOverlapPerKey() {
    return new Guarantee("no overlap per key", new NoOverlap(false));
  }

  /**
   * As {@link #noOverlapPerKey}, but no two processes either. A consumer that loses a partition
   * while a handler runs cannot promise it.
   */
  public static Guarantee noOverlapPerKeyAcrossProcesses() {
    return new Guarantee("no overlap per key across processes", new NoOverlap(true));
  }

  /**
   * When a commit was made, every record below it had its {@link Outcome#isFinal() end}. Needs a
   * history of handlings, the source topics and the commits.
   */
  public static Guarantee commitsJustified() {
    return new Guarantee("commits justified", new CommitsJustified());
  }

  /**
   * Commits never go back, but after a recorded seek or a tombstone, and never beyond the end of
   * the log. Needs the commits and the offsets.
   */
  public static Guarantee commitsMonotonic() {
    return new Guarantee("commits monotonic", new CommitsMonotonic());
  }

  /**
   * Only who owns a partition commits it: at the time of each commit in the broker's log somebody
   * did by the history, and what a client saw acknowledged it owned itself. Needs the commits and a
   * history of assignments.
   */
  public static Guarantee commitsByOwner() {
    return new Guarantee("commits by owner", new CommitsByOwner());
  }

  /**
   * The sink holds each record of the source once, told by key and value, and nothing else. Needs
   * what both topics hold, read committed.
   */
  public static Guarantee exactlyOnceCopy(String source, String sink) {
    Function<LogRecord, String> identity =
        record -> "key " + record.key() + " value #" + record.valueId();
    return exactlyOnceCopy(source, sink, identity, identity);
  }

  /**
   * As {@link #exactlyOnceCopy(String, String)}, with what tells which output belongs to which
   * input: both functions return the same text for them.
   */
  public static Guarantee exactlyOnceCopy(
      String source,
      String sink,
      Function<LogRecord, String> ofInput,
      Function<LogRecord, String> ofOutput) {
    return new Guarantee("exactly-once copy", new ExactlyOnceCopy(source, sink, ofInput, ofOutput));
  }

  /**
   * No transaction is open, every partition's last stable offset is its end, and no commit waits
   * for a transaction's end. Needs the open transactions and the offsets; and the commits, to see a
   * transaction that holds nothing else.
   */
  public static Guarantee transactionsClosed() {
    return new Guarantee("transactions closed", new TransactionsClosed());
  }

  /**
   * After the last fault healed, the group committed beyond the last record of each partition
   * within {@code bound}, counted from that record when it came later; and each instance that owned
   * a partition for that time, or to the end, when a new record came handled something. Needs a
   * history with a healed fault and handlings, the source topics and the commits.
   */
  public static Guarantee drainedAfterHeal(Duration bound) {
    return new Guarantee("drained after heal", new DrainedAfterHeal(bound));
  }

  /**
   * Checks several at once.
   *
   * @throws IllegalArgumentException if there are none, which would hold whatever happened
   */
  public static Report checkAll(Evidence evidence, Guarantee... guarantees) {
    if (guarantees.length == 0) {
      throw new IllegalArgumentException("Name the guarantees to check");
    }
    return new Report(Arrays.stream(guarantees).map(g -> g.check(evidence)).toList());
  }

  /** Returns its name, as findings and reports show it. */
  public String name() {
    return name;
  }

  /** Checks it. Never throws for what the evidence shows or lacks: the result says it. */
  public Result check(Evidence evidence) {
    try {
      List<Finding> findings =
          check.check(evidence).stream()
              .map(
                  v ->
                      new Finding(
                          name,
                          v.subject(),
                          v.expected(),
                          v.found(),
                          v.witnesses().stream().map(Object::toString).toList()))
              .toList();
      return new Result(name, findings.isEmpty() ? Status.HOLDS : Status.VIOLATED, "", findings);
    } catch (Inconclusive e) {
      return new Result(name, Status.INCONCLUSIVE, "missing: " + e.getMessage(), List.of());
    }
  }

  /**
   * Checks it and does nothing when it holds.
   *
   * @throws AssertionError if it is violated or inconclusive
   */
  public void assertHolds(Evidence evidence) {
    new Report(List.of(check(evidence))).assertHolds();
  }

  @Override
  public String toString() {
    return name;
  }
}
