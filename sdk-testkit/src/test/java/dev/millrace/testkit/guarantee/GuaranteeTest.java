package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.probe.Offsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
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
