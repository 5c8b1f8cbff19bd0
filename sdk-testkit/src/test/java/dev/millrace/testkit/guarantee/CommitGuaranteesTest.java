package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

/** The guarantees about commits, transactions and the way back after faults, red and green. */
class CommitGuaranteesTest {
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

  private static List<String> subjects(Guarantee guarantee, Story story) {
    Result result = guarantee.check(story.evidence().build());
    assertThat(result.status()).as(result.missing()).isNotEqualTo(Status.INCONCLUSIVE);
    return result.findings().stream().map(Finding::subject).toList();
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
