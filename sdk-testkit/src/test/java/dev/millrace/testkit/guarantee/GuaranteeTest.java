package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/** Each guarantee, red and green, on the smallest run that shows it. */
class GuaranteeTest {
  private static final Guarantee[] ALL = {
    Guarantee.noLoss(),
    Guarantee.ackedInLog(),
    Guarantee.noDuplicates(),
    Guarantee.boundedRedo(1),
    Guarantee.orderPerKey(),
    Guarantee.noOverlapPerKey(),
    Guarantee.noOverlapPerKeyAcrossProcesses(),
    Guarantee.commitsJustified(),
    Guarantee.commitsMonotonic(),
    Guarantee.commitsByOwner(),
    Guarantee.exactlyOnceCopy("orders", "sink"),
    Guarantee.transactionsClosed(),
    Guarantee.drainedAfterHeal(Duration.ofSeconds(1)),
  };

  @Test
  void allHoldOnACorrectRun() {
    Story story = new Story().topic(0, "a", "b", "a").begins("c1", 0);
    story.fault(Kind.FAULT_BEGAN).fault(Kind.FAULT_HEALED);
    story.handles("c1", 0, 0, 1).commits("c1", 0, 2).handles("c1", 0, 2).commits("c1", 0, 3);
    Evidence evidence = story.ends("c1").evidence().sink("sink", copies(story, 0, 1, 2)).build();

    Guarantee.checkAll(evidence, ALL).assertHolds();
  }

  @Test
  void noneHoldsWithoutEvidence() {
    Report report = Guarantee.checkAll(Evidence.builder().build(), ALL);

    assertThat(report.named(Status.INCONCLUSIVE)).hasSize(ALL.length);
    assertThatThrownBy(report::assertHolds)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(
            "no loss                              INCONCLUSIVE:"
                + " missing: a history in which a record was handled");
    assertThatThrownBy(() -> Guarantee.noLoss().assertHolds(Evidence.builder().build()))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void whatALackingPartIsNeededForIsInconclusive() {
    Story story = new Story().topic(0, "a").begins("c1");
    story.handles("c1", 0, 0).logged(0, 1);

    assertThat(missing(Guarantee.noLoss(), Evidence.builder().history(story.events)))
        .isEmpty(); // the acknowledged send is enough
    assertThat(missing(Guarantee.ackedInLog(), Evidence.builder().history(story.events)))
        .isEqualTo("missing: what topic orders holds");
    assertThat(missing(Guarantee.commitsJustified(), Evidence.builder().history(story.events)))
        .isEqualTo("missing: a record of a source topic");
    assertThat(missing(Guarantee.commitsJustified(), story.evidence().commits(List.of())))
        .isEqualTo("missing: a commit: the group has none");
    assertThat(missing(Guarantee.commitsMonotonic(), Evidence.builder().commits(story.commits)))
        .isEqualTo("missing: where the partitions end");
    assertThat(missing(Guarantee.commitsByOwner(), story.evidence()))
        .isEqualTo("missing: a history in which partitions were assigned");
    assertThat(missing(Guarantee.drainedAfterHeal(Duration.ZERO), story.evidence()))
        .isEqualTo("missing: a history in which a fault healed");
    assertThat(missing(Guarantee.exactlyOnceCopy("orders", "sink"), story.evidence()))
        .isEqualTo("missing: what topic sink holds");
    assertThat(missing(Guarantee.transactionsClosed(), Evidence.builder().offsets(story.ends)))
        .isEqualTo("missing: which transactions are open");
  }

  @Test
  void aLostRecordIsToldWithItsLastEventsAndTheCommitThatPassedIt() {
    Story story = new Story().topic(0, "a", "b").begins("c1", 0);
    story.starts("c1", 0, 0).handles("c1", 0, 1).commits("c1", 0, 2);

    assertThat(Guarantee.noLoss().check(story.evidence().build()))
        .hasToString(
            """
            no loss: VIOLATED 1
            no loss: orders-0@0 key a
              expected: an end in some process: handled, dead-lettered or skipped
              found:    none, yet the group went past it
                12:00:00.005000 c1 (process 200) [main] STARTED orders-0@0 key a
                2023-11-15T12:00:00.008Z commit @2 of orders-0, __consumer_offsets@0""");
  }

  @Test
  void everyFinalEndCountsAndAFailureDoesNot() {
    Story story = new Story().topic(0, "a", "b", "c").begins("c1", 0);
    story.starts("c1", 0, 0).ended("c1", 0, 0, 1, Outcome.DEAD_LETTERED);
    story.starts("c1", 0, 1).ended("c1", 0, 1, 1, Outcome.SKIPPED);
    story.starts("c1", 0, 2).ended("c1", 0, 2, 1, Outcome.FAILED);

    assertThat(subjects(Guarantee.noLoss(), story)).containsExactly("orders-0@2 key c");
    assertThat(
            Guarantee.noLoss()
                .check(story.evidence().starts(Map.of(Story.partition(0), 3L)).build())
                .status())
        .isEqualTo(Status.INCONCLUSIVE);
  }

  @Test
  void recordsNobodyAcknowledgedAreToBeHandledTooAndThoseBeforeTheStartAreNot() {
    Story story = new Story().topic(0, "a", "b", "c").begins("c1", 0);
    story.handles("c1", 0, 1);
    story.events.removeIf(event -> event.kind() == Kind.ACKED);

    assertThat(subjects(Guarantee.noLoss(), story))
        .containsExactly("orders-0@0 key a", "orders-0@2 key c");
    Result result =
        Guarantee.noLoss().check(story.evidence().starts(Map.of(Story.partition(0), 1L)).build());
    assertThat(result.findings()).extracting(Finding::subject).containsExactly("orders-0@2 key c");
  }

  @Test
  void anAcknowledgedSendMustBeInTheLogAsItWas() {
    Story story = new Story().topic(0, "a", "b", "c");
    story.records.remove(0);
    story.records.set(0, Story.record("orders", 0, 1, "b", "another", 0));
    story.sent(0, 2, "c");
    story.records.remove(2);

    assertThat(subjects(Guarantee.ackedInLog(), story))
        .containsExactly("orders-0@0 key a", "orders-0@1 key b", "orders-0@2");
    // What retention took is no loss.
    story.ends.put(Story.partition(0), new Offsets(1, 3, 3));
    assertThat(subjects(Guarantee.ackedInLog(), story))
        .containsExactly("orders-0@1 key b", "orders-0@2");
  }

  @Test
  void anAcknowledgedSendWithoutAnOffsetMustBeSomewhereInItsPartition() {
    Story story = new Story().topic(0, "a", "b", "c").topic(1, "d");
    story.events.replaceAll(Story::withoutOffset);
    assertThat(subjects(Guarantee.ackedInLog(), story)).isEmpty();

    story.records.remove(1);
    assertThat(subjects(Guarantee.ackedInLog(), story)).containsExactly("orders-0 key b");
  }

  @Test
  void aRepetitionIsADuplicateAndARedoOnlyAfterACrashOrALoss() {
    Story same = new Story().topic(0, "a").begins("c1", 0).handles("c1", 0, 0).handles("c1", 0, 0);
    assertThat(Guarantee.boundedRedo(9).check(same.evidence().build()))
        .hasToString(
            """
            bounded redo: VIOLATED 1
            bounded redo: orders-0@0 key a
              expected: handled once, since its owner kept it
              found:    handled again by the same process:
                12:00:00.004000 c1 (process 200) [main] STARTED orders-0@0 key a
                12:00:00.005000 c1 (process 200) [main] ENDED orders-0@0 key a HANDLED
                12:00:00.006000 c1 (process 200) [main] STARTED orders-0@0 key a
                12:00:00.007000 c1 (process 200) [main] ENDED orders-0@0 key a HANDLED""");

    Story crash = new Story().topic(0, "a").begins("c1", 0).starts("c1", 0, 0);
    crash.begins("c2", 0).handles("c2", 0, 0);
    assertThat(subjects(Guarantee.noDuplicates(), crash)).containsExactly("orders-0@0 key a");
    assertThat(subjects(Guarantee.boundedRedo(1), crash)).isEmpty();
    assertThat(subjects(Guarantee.boundedRedo(0), crash)).containsExactly("c1 (process 200)");

    Story kept = new Story().topic(0, "a").begins("c1", 0).begins("c2").handles("c1", 0, 0);
    kept.handles("c2", 0, 0).handles("c1", 0);
    assertThat(subjects(Guarantee.boundedRedo(9), kept)).containsExactly("orders-0@0 key a");

    Story sought = new Story().topic(0, "a").begins("c1", 0).handles("c1", 0, 0);
    sought.seeks("c1", 0, 0).handles("c1", 0, 0);
    assertThat(subjects(Guarantee.boundedRedo(0), sought)).isEmpty();
    assertThat(subjects(Guarantee.orderPerKey(), sought)).isEmpty();

    // Back to what it had never read, since it began behind it.
    Story back = new Story().topic(0, "a", "a").begins("c1", 0).handles("c1", 0, 1);
    back.seeks("c1", 0, 0).handles("c1", 0, 0, 1);
    assertThat(subjects(Guarantee.orderPerKey(), back)).isEmpty();
  }

  @Test
  void theRedoIsCountedForEachLossApart() {
    Story story = new Story().topic(0, "a", "b", "c").begins("c1", 0);
    story.handles("c1", 0, 0, 1).revoked("c1", 0).assigned("c1", 0).handles("c1", 0, 1);
    story.lost("c1", 0).assigned("c1", 0).handles("c1", 0, 1, 2);
    assertThat(subjects(Guarantee.boundedRedo(1), story)).isEmpty();

    story.revoked("c1", 0).assigned("c1", 0).handles("c1", 0, 1, 2);
    Result result = Guarantee.boundedRedo(1).check(story.evidence().build());
    assertThat(result.findings()).hasSize(1);
    assertThat(result.findings().get(0).found()).isEqualTo("2: orders-0@1, orders-0@2");
    assertThat(result.findings().get(0).witnesses().get(0)).contains("REVOKED orders-0");
  }

  @Test
  void theRedoOfAMemberThatWasNotToldCountsForItsOwnLoss() {
    Story story = new Story().topic(0, "a", "b", "c").begins("c1", 0).handles("c1", 0, 0);
    // The second repeats what the first had done, is put out in turn, and goes on unaware.
    story.begins("c2", 0).handles("c2", 0, 0).begins("c3", 0).handles("c3", 0, 1);
    story.handles("c2", 0, 1).lost("c2", 0);

    assertThat(subjects(Guarantee.boundedRedo(1), story)).isEmpty();
    assertThat(subjects(Guarantee.boundedRedo(0), story)).hasSize(2);
  }

  @Test
  void attemptsInPlaceAreOneDelivery() {
    Story story = new Story().topic(0, "a", "a").begins("c1", 0);
    story.starts("c1", 0, 0).ended("c1", 0, 0, 1, Outcome.FAILED);
    story.starts("c1", 0, 0, 2).ended("c1", 0, 0, 2, Outcome.HANDLED).handles("c1", 0, 1);
    assertThat(violated(story)).isEmpty();

    // One more attempt is of the delivery it follows, and not of one before the loss.
    Story regained = new Story().topic(0, "a", "a").begins("c1", 0).handles("c1", 0, 0);
    regained.starts("c1", 0, 1).ended("c1", 0, 1, 1, Outcome.FAILED);
    regained.lost("c1", 0).assigned("c1", 0).handles("c1", 0, 0);
    regained.starts("c1", 0, 1).ended("c1", 0, 1, 1, Outcome.FAILED);
    regained.starts("c1", 0, 1, 2).ended("c1", 0, 1, 2, Outcome.HANDLED);
    assertThat(violated(regained)).containsExactly("no duplicates");

    Story overtaken = new Story().topic(0, "a", "a").begins("c1", 0);
    overtaken.starts("c1", 0, 0).ended("c1", 0, 0, 1, Outcome.FAILED).handles("c1", 0, 1);
    overtaken.starts("c1", 0, 0, 2).ended("c1", 0, 0, 2, Outcome.HANDLED);
    assertThat(violated(overtaken)).contains("no overlap per key");
  }

  @Test
  void aKeysRecordsStartInOrder() {
    Story swapped = new Story().topic(0, "a", "a").begins("c1", 0).handles("c1", 0, 1, 0);
    assertThat(Guarantee.orderPerKey().check(swapped.evidence().build()))
        .hasToString(
            """
            order per key: VIOLATED 1
            order per key: orders-0@0 key a
              expected: starts in the order of offsets, and again only after a crash or a loss
              found:    started after orders-0@1:
                12:00:00.005000 c1 (process 200) [main] STARTED orders-0@1 key a
                12:00:00.006000 c1 (process 200) [main] ENDED orders-0@1 key a HANDLED
                12:00:00.007000 c1 (process 200) [main] STARTED orders-0@0 key a""");

    Story others = new Story().topic(0, "a", "b").begins("c1", 0).handles("c1", 0, 1, 0);
    assertThat(subjects(Guarantee.orderPerKey(), others)).isEmpty();

    Story redo = new Story().topic(0, "a", "a", "a").begins("c1", 0).handles("c1", 0, 0, 1);
    redo.begins("c2", 0).handles("c2", 0, 0, 1, 2);
    assertThat(subjects(Guarantee.orderPerKey(), redo)).isEmpty();
  }

  @Test
  void aKeysOrderHoldsAcrossProcesses() {
    // The first owner starts what it had queued when the next one has gone further.
    Story late = new Story().topic(0, "a", "a", "a").begins("c1", 0).handles("c1", 0, 0);
    late.revoked("c1", 0).begins("c2", 0).handles("c2", 0, 2).handles("c1", 0, 1);
    assertThat(subjects(Guarantee.orderPerKey(), late)).containsExactly("orders-0@1 key a");

    // It does know: what it repeats behind the next owner's back is no redo.
    Story known = new Story().topic(0, "a", "a").begins("c1", 0).revoked("c1", 0).begins("c2", 0);
    known.handles("c2", 0, 0, 1).handles("c1", 0, 0);
    assertThat(subjects(Guarantee.orderPerKey(), known)).containsExactly("orders-0@0 key a");
    assertThat(subjects(Guarantee.boundedRedo(9), known)).containsExactly("orders-0@0 key a");

    // One that stood still cannot know yet; that is a loss like another.
    Story zombie = new Story().topic(0, "a", "a").begins("c1", 0).begins("c2", 0);
    zombie.handles("c2", 0, 0, 1).handles("c1", 0, 0).lost("c1", 0);
    assertThat(subjects(Guarantee.orderPerKey(), zombie)).isEmpty();
    assertThat(subjects(Guarantee.boundedRedo(1), zombie)).isEmpty();
    assertThat(subjects(Guarantee.boundedRedo(0), zombie)).hasSize(1);
  }

  @Test
  void aKeysRecordsDoNotOverlap() {
    Story story = new Story().topic(0, "a", "a", "b").begins("c1", 0);
    story.starts("c1", 0, 0).starts("c1", 0, 2).starts("c1", 0, 1);
    story.handled("c1", 0, 2).handled("c1", 0, 0).handled("c1", 0, 1);
    assertThat(subjects(Guarantee.noOverlapPerKey(), story)).containsExactly("orders-0@1 key a");

    Story hung = new Story().topic(0, "a", "a").begins("c1", 0);
    hung.starts("c1", 0, 0).handles("c1", 0, 1);
    assertThat(subjects(Guarantee.noOverlapPerKey(), hung)).containsExactly("orders-0@1 key a");

    Story two = new Story().topic(0, "a", "a").begins("c1", 0).starts("c1", 0, 0);
    two.begins("c2", 0).handles("c2", 0, 0, 1).handled("c1", 0, 0);
    assertThat(subjects(Guarantee.noOverlapPerKey(), two)).isEmpty();
    assertThat(subjects(Guarantee.noOverlapPerKeyAcrossProcesses(), two))
        .containsExactly("orders-0@0 key a", "orders-0@1 key a");
  }

  @Test
  void aCommitNeedsTheEndsBelowIt() {
    Story story = new Story().topic(0, "a", "b", "c").begins("c1", 0);
    story.handles("c1", 0, 0).starts("c1", 0, 1).commits("c1", 0, 3).handled("c1", 0, 1);

    assertThat(Guarantee.commitsJustified().check(story.evidence().build()))
        .hasToString(
            """
            commits justified: VIOLATED 2
            commits justified: orders-0@1 key b
              expected: an end before the first commit beyond it
              found:    an end after it
                2023-11-15T12:00:00.009Z commit @3 of orders-0, __consumer_offsets@0
                12:00:00.011000 c1 (process 200) [main] ENDED orders-0@1 key b HANDLED
            commits justified: orders-0@2 key c
              expected: an end before the first commit beyond it
              found:    no end at all
                2023-11-15T12:00:00.009Z commit @3 of orders-0, __consumer_offsets@0""");
    Evidence tolerant = story.evidence().clockTolerance(Duration.ofMillis(2)).build();
    assertThat(Guarantee.commitsJustified().check(tolerant).findings()).hasSize(1);
  }

  @Test
  void gapsInTheLogNeedNoEnd() {
    Story story = new Story().sent(0, 0, "a").sent(0, 7, "b").begins("c1", 0);
    story.handles("c1", 0, 0, 7).commits("c1", 0, 9);

    assertThat(subjects(Guarantee.commitsJustified(), story)).isEmpty();
  }

  @Test
  void commitsDoNotGoBackOrBeyondTheEnd() {
    Story back = new Story().topic(0, "a", "b").begins("c1", 0).handles("c1", 0, 0, 1);
    back.commits("c1", 0, 2).commits("c1", 0, 1);
    assertThat(subjects(Guarantee.commitsMonotonic(), back)).containsExactly("orders-0");

    Story sought = new Story().topic(0, "a", "b").begins("c1", 0).handles("c1", 0, 0, 1);
    sought.commits("c1", 0, 2).seeks("c1", 0, 0).commits("c1", 0, 1);
    assertThat(subjects(Guarantee.commitsMonotonic(), sought)).isEmpty();

    Story removed = new Story().topic(0, "a", "b").begins("c1", 0).commits("c1", 0, 2);
    removed.logged(0, -1).commits("c1", 0, 1);
    assertThat(subjects(Guarantee.commitsMonotonic(), removed)).isEmpty();

    Story beyond = new Story().topic(0, "a").begins("c1", 0).commits("c1", 0, 2);
    assertThat(subjects(Guarantee.commitsMonotonic(), beyond)).containsExactly("orders-0");
  }

  @Test
  void onlyTheOwnerCommits() {
    Story nobody = new Story().topic(0, "a").begins("c1", 0).revoked("c1", 0).pass(5).logged(0, 1);
    assertThat(subjects(Guarantee.commitsByOwner(), nobody)).containsExactly("orders-0");

    Story other = new Story().topic(0, "a").begins("c1", 0).begins("c2", 1);
    other.logged(0, 1).acknowledged("c2", 0, 1);
    assertThat(subjects(Guarantee.commitsByOwner(), other))
        .containsExactly("c2 (process 300) orders-0");

    // The answer may come when the partition has left.
    Story late = new Story().topic(0, "a").begins("c1", 0).logged(0, 1).revoked("c1", 0).pass(5);
    late.acknowledged("c1", 0, 1);
    assertThat(subjects(Guarantee.commitsByOwner(), late)).isEmpty();

    // A member that stood still commits behind the back of the next one, which owns it now.
    Story zombie = new Story().topic(0, "a", "b").begins("c1", 0).begins("c2", 0).pass(5);
    zombie.commits("c2", 0, 1).pass(5).commits("c1", 0, 2);
    assertThat(subjects(Guarantee.commitsByOwner(), zombie))
        .containsExactly("c1 (process 200) orders-0");
    zombie.lost("c1", 0);
    assertThat(subjects(Guarantee.commitsByOwner(), zombie))
        .containsExactly("c1 (process 200) orders-0");

    Story killed = new Story().topic(0, "a").begins("c1", 0).logged(0, 1).begins("c2").pass(5);
    killed.revoked("c2", 1).assigned("c2", 0).ends("c2").pass(5).logged(0, 1);
    assertThat(subjects(Guarantee.commitsByOwner(), killed)).containsExactly("orders-0");
  }

  @Test
  void aCopyHasEachRecordOnce() {
    Story story = new Story().topic(0, "a", "b", "c");
    assertThat(copy(story, 0, 1, 2)).isEmpty();
    assertThat(copy(story, 0, 2)).hasSize(1);
    assertThat(copy(story, 0, 1, 1, 2)).hasSize(1);

    story.records.remove(2);
    Story full = new Story().topic(0, "a", "b", "c");
    Evidence extra = story.evidence().sink("sink", copies(full, 0, 1, 2)).build();
    Result result =
        Guarantee.exactlyOnceCopy("orders", "sink", LogRecord::key, LogRecord::key).check(extra);
    assertThat(result.findings()).hasSize(1);
    assertThat(result.findings().get(0).subject()).isEqualTo("c");
    assertThat(result.findings().get(0).expected()).isEqualTo("0 in sink for 0 in orders");
    assertThat(result.findings().get(0).found()).isEqualTo("1 in sink");
  }

  @Test
  void noTransactionStaysOpen() {
    Story story = new Story().topic(0, "a");
    Evidence known =
        story
            .evidence()
            .openTransactions(
                List.of(
                    new OpenTransaction(
                        "t-1", 7, TransactionState.ONGOING, Set.of(Story.partition(0)))))
            .build();
    assertThat(Guarantee.transactionsClosed().check(known))
        .hasToString(
            """
            transactions closed: VIOLATED 1
            transactions closed: t-1
              expected: no open transaction
              found:    Ongoing in [orders-0], producer 7""");

    Story offsetsOnly = new Story().topic(0, "a").inTransaction(0, 1, Commit.State.PENDING, 0);
    assertThat(subjects(Guarantee.transactionsClosed(), offsetsOnly)).containsExactly("orders-0");
    Story aborted = new Story().topic(0, "a").inTransaction(0, 1, Commit.State.ABORTED, 0);
    assertThat(subjects(Guarantee.transactionsClosed(), aborted)).isEmpty();

    story.ends.put(Story.partition(0), new Offsets(0, 0, 1));
    assertThat(subjects(Guarantee.transactionsClosed(), story)).containsExactly("orders-0");
  }

  @Test
  void everyPartitionIsDrainedInTime() {
    Guarantee drained = Guarantee.drainedAfterHeal(Duration.ofMillis(100));
    Story story = new Story().topic(0, "a").begins("c1", 0).fault(Kind.FAULT_HEALED);
    story.handles("c1", 0, 0).pass(50).commits("c1", 0, 1);
    assertThat(subjects(drained, story)).isEmpty();

    Story late = new Story().topic(0, "a").begins("c1", 0).fault(Kind.FAULT_HEALED);
    late.handles("c1", 0, 0).pass(100).commits("c1", 0, 1);
    assertThat(drained.check(late.evidence().build()))
        .hasToString(
            """
            drained after heal: VIOLATED 1
            drained after heal: orders-0
              expected: committed beyond @0 within PT0.1S of the heal
              found:    after PT0.103S
                12:00:00.004000 faults (process 300) [main] FAULT_HEALED
                2023-11-15T12:00:00.107Z commit @1 of orders-0, __consumer_offsets@0""");

    // In a transaction, a commit counts when that is committed.
    Story held = new Story().topic(0, "a").begins("c1", 0).fault(Kind.FAULT_HEALED);
    held.handles("c1", 0, 0).inTransaction(0, 1, Commit.State.COMMITTED, 100);
    assertThat(subjects(drained, held)).containsExactly("orders-0");

    Story one = new Story().topic(0, "a").topic(1, "b").begins("c1", 0, 1).fault(Kind.FAULT_HEALED);
    one.handles("c1", 0, 0).commits("c1", 0, 1);
    assertThat(subjects(drained, one)).containsExactly("orders-1");
  }

  @Test
  void everyInstanceWithWorkDoesSome() {
    Guarantee drained = Guarantee.drainedAfterHeal(Duration.ofSeconds(1));
    Story story = new Story().topic(0, "a").begins("c1", 0).begins("c2", 1);
    story.fault(Kind.FAULT_HEALED).sent(1, 0, "b").handles("c1", 0, 0).commits("c1", 0, 1);
    story.commits("c2", 1, 1);
    assertThat(subjects(drained, story)).containsExactly("c2 (process 300) orders-1");

    // That it ended in order in the meantime is no excuse, unless it had no time.
    Story ended = new Story().topic(0, "a").begins("c1", 0).begins("c2", 1);
    ended.fault(Kind.FAULT_HEALED).sent(1, 0, "b").handles("c1", 0, 0).commits("c1", 0, 1);
    ended.commits("c1", 1, 1).pass(1_000).revoked("c2", 1).ends("c2");
    assertThat(subjects(drained, ended)).containsExactly("c2 (process 300) orders-1");
    Guarantee slowly = Guarantee.drainedAfterHeal(Duration.ofSeconds(2));
    assertThat(subjects(slowly, ended)).isEmpty();

    // Who came when another had done it all had nothing to do.
    Story after = new Story().topic(0, "a").begins("c1", 0).fault(Kind.FAULT_HEALED);
    after.sent(0, 1, "b").handles("c1", 0, 0, 1).commits("c1", 0, 2);
    after.revoked("c1", 0).begins("c2", 0);
    assertThat(subjects(drained, after)).isEmpty();

    story.handles("c2", 1, 0);
    assertThat(subjects(drained, story)).isEmpty();
  }

  @Test
  void manyFindingsAreCountedAndTheFirstAreShown() {
    Story story = new Story();
    story.topic(0, IntStream.range(0, 20).mapToObj(i -> "k" + i).toArray(String[]::new));
    story.begins("c1", 0).handles("c1", 0, 0);

    Result result = Guarantee.noLoss().check(story.evidence().build());

    assertThat(result.findings()).hasSize(19);
    assertThat(result.toString())
        .startsWith("no loss: VIOLATED 19\n")
        .contains("orders-0@5 key k5")
        .doesNotContain("orders-0@6")
        .endsWith("… and 14 more");
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatIllegalArgumentException().isThrownBy(() -> Guarantee.boundedRedo(-1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Guarantee.checkAll(Evidence.builder().build()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Evidence.builder().clockTolerance(Duration.ofMillis(-1)));
  }

  private static List<String> subjects(Guarantee guarantee, Story story) {
    Result result = guarantee.check(story.evidence().build());
    assertThat(result.status()).as(result.missing()).isNotEqualTo(Status.INCONCLUSIVE);
    return result.findings().stream().map(Finding::subject).toList();
  }

  private static List<String> violated(Story story) {
    return Guarantee.checkAll(
            story.evidence().build(),
            Guarantee.noLoss(),
            Guarantee.noDuplicates(),
            Guarantee.orderPerKey(),
            Guarantee.noOverlapPerKey())
        .named(Status.VIOLATED);
  }

  private static String missing(Guarantee guarantee, Evidence.Builder evidence) {
    return guarantee.check(evidence.build()).missing();
  }

  private static List<Finding> copy(Story story, int... copied) {
    return Guarantee.exactlyOnceCopy("orders", "sink")
        .check(story.evidence().sink("sink", copies(story, copied)).build())
        .findings();
  }

  private static List<ConsumerRecord<byte[], byte[]>> copies(Story story, int... copied) {
    return IntStream.range(0, copied.length)
        .mapToObj(
            i -> {
              ConsumerRecord<byte[], byte[]> from = story.records.get(copied[i]);
              return new ConsumerRecord<>("sink", 0, i, from.key(), from.value());
            })
        .toList();
  }
}
