package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.time.StoppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CoordinatorLoadInProgressException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OffsetCommitterTest {
  private static final long INTERVAL = Duration.ofMillis(100).toNanos();
  private static final long REPEAT = Duration.ofMinutes(10).toNanos();
  private static final String REPEATED = "by the next commit";
  private static final String SHORTENED = "with less metadata";
  private static final String ENDS = "the consumer ends";
  private static final TopicPartition NAME = new TopicPartition("orders", 0);

  private final FakeClient client = new FakeClient();
  private final List<Throwable> fenced = new ArrayList<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final OffsetCommitter committer = committer(true);
  private final AssignedPartition partition = new AssignedPartition(NAME, CompletedAhead.NONE);

  private OffsetCommitter committer(boolean hasMembers) {
    return new OffsetCommitter(
        "c",
        Promise.AT_LEAST_ONCE,
        client,
        new ConsumerMeters(registry, "c", "g"),
        Duration.ofMillis(100),
        1_000,
        hasMembers,
        fenced::add,
        new StoppedClock());
  }

  @Test
  void nothingIsCommittedBeforeTheInterval() {
    finish(10);

    committer.commitIfDue(INTERVAL - 1, 0, List.of(partition));
    assertThat(client.sent).isEmpty();

    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    assertThat(client.sent).containsExactly(Map.of(NAME, new OffsetAndMetadata(11)));
  }

  @Test
  void enoughFinishedRecordsAreCommittedBeforeTheInterval() {
    finish(10);
    committer.commitIfDue(1, 999, List.of(partition));
    assertThat(client.sent).isEmpty();

    committer.commitIfDue(2, 1_000, List.of(partition));
    assertThat(client.sent).hasSize(1);

    finish(11);
    committer.commitIfDue(3, 2_000, List.of(partition));
    assertThat(client.sent).as("one is on its way").hasSize(1);
    client.answer(null);
    committer.commitIfDue(4, 2_000, List.of(partition));
    assertThat(client.sent.get(1)).isEqualTo(Map.of(NAME, new OffsetAndMetadata(12)));
    client.answer(null);

    finish(12);
    committer.commitIfDue(5, 2_999, List.of(partition));
    assertThat(client.sent).hasSize(2);
    assertThat(committer.dueNanos()).as("the interval begins anew").isEqualTo(INTERVAL + 4);
  }

  /** Without members, the brokers count an offset's age from its own commit. */
  @Test
  void whatWasCommittedIsRepeatedNowAndThenWhereTheGroupHasNoMembers() {
    OffsetCommitter alone = committer(false);
    AssignedPartition quiet =
        new AssignedPartition(new TopicPartition("orders", 1), CompletedAhead.NONE);
    OffsetAndMetadata found = new OffsetAndMetadata(7, Optional.of(3), "what an owner has left");
    quiet.startsAt(found);
    AssignedPartition empty =
        new AssignedPartition(new TopicPartition("orders", 2), CompletedAhead.NONE);
    List<AssignedPartition> all = List.of(partition, quiet, empty);
    finish(10);
    OffsetAndMetadata ours = new OffsetAndMetadata(11);

    alone.commitIfDue(INTERVAL, 0, all);
    assertThat(client.sent)
        .as("at the start")
        .containsExactly(Map.of(NAME, ours, quiet.partition(), found));
    client.answer(null);
    for (long now = 2 * INTERVAL; now < REPEAT; now += INTERVAL) {
      alone.commitIfDue(now, 0, all);
    }
    assertThat(client.sent).hasSize(1);

    alone.commitIfDue(REPEAT + INTERVAL, 0, all);
    assertThat(client.sent).hasSize(2);
    assertThat(client.sent.get(1)).isEqualTo(Map.of(NAME, ours, quiet.partition(), found));
    client.answer(null);
    alone.commitIfDue(REPEAT + 2 * INTERVAL, 0, all);
    assertThat(client.sent).hasSize(2);
  }

  /** Whoever has no record of the new log must not commit where the old one was. */
  @Test
  void nothingIsRepeatedOfALogThatIsGone() {
    finish(10);
    OffsetCommitter alone = committer(false);
    alone.commitIfDue(INTERVAL, 0, List.of(partition));
    client.answer(null);

    alone.commitIfDue(REPEAT + INTERVAL, 0, List.of(partition.anew()));

    assertThat(client.sent).hasSize(1);
  }

  @Test
  void nothingIsRepeatedByAMember() {
    finish(10);
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    client.answer(null);

    committer.commitIfDue(REPEAT + INTERVAL, 0, List.of(partition));

    assertThat(client.sent).hasSize(1);
  }

  /** What the brokers may answer, and what is made of it. */
  static Stream<Arguments> failures() {
    return Stream.of(
        arguments(new RetriableCommitFailedException("coordinator moved"), REPEATED),
        arguments(new TimeoutException("no answer"), REPEATED),
        arguments(new DisconnectException(), REPEATED),
        arguments(new CoordinatorLoadInProgressException("loading"), REPEATED),
        arguments(new RebalanceInProgressException(), REPEATED),
        arguments(new CommitFailedException("not a member any more"), REPEATED),
        arguments(new UnknownMemberIdException("who?"), REPEATED),
        arguments(new IllegalGenerationException(), REPEATED),
        arguments(new StaleMemberEpochException("epoch 3"), REPEATED),
        arguments(new FencedMemberEpochException("epoch 3"), REPEATED),
        arguments(new UnknownTopicOrPartitionException("deleted"), REPEATED),
        arguments(new GroupAuthorizationException("revoked"), REPEATED),
        arguments(new TopicAuthorizationException("revoked"), REPEATED),
        arguments(new KafkaException("anything else"), REPEATED),
        arguments(new OffsetMetadataTooLarge("too much"), SHORTENED),
        arguments(new FencedInstanceIdException("another has this id"), ENDS));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aCommitThatIsRefused(KafkaException failure, String what) {
    finish(10);
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    client.answer(failure);

    assertOutcome(failure, what);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aCommitThatCannotBeSent(KafkaException failure, String what) {
    finish(10);
    client.failure = failure;
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    client.failure = null;

    assertOutcome(failure, what);
  }

  private void assertOutcome(KafkaException failure, String what) {
    boolean failed = !what.equals(SHORTENED);
    assertThat(registry.get("millrace.consumer.commit.failures").counter().count())
        .isEqualTo(failed ? 1 : 0);
    assertThat(partition.commits().commits().failure().isPresent()).isEqualTo(failed);
    assertThat(fenced).isEqualTo(what.equals(ENDS) ? List.of(failure) : List.of());

    committer.commitIfDue(2 * INTERVAL, 0, List.of(partition));
    client.answer(null);

    assertThat(client.sent).hasSize(2).containsOnly(Map.of(NAME, new OffsetAndMetadata(11)));
    assertThat(partition.commits().commits().failure()).isEmpty();
  }

  @Test
  void withoutNewsNothingIsSent() {
    finish(10);
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    client.answer(null);

    committer.commitIfDue(2 * INTERVAL, 0, List.of(partition));

    assertThat(client.sent).hasSize(1);
  }

  @Test
  void onlyOneCommitIsOnItsWay() {
    finish(10);
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    finish(11);
    committer.commitIfDue(2 * INTERVAL, 0, List.of(partition));
    assertThat(client.sent).hasSize(1);

    client.answer(null);
    committer.commitIfDue(3 * INTERVAL, 0, List.of(partition));

    assertThat(client.sent.get(1)).isEqualTo(Map.of(NAME, new OffsetAndMetadata(12)));
  }

  @Test
  void afterAFailureTheNextCommitSaysTheSameAndMore() {
    finish(10);
    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    client.answer(new RetriableCommitFailedException("coordinator moved"));
    finish(11);

    committer.commitIfDue(2 * INTERVAL, 0, List.of(partition));

    assertThat(client.sent.get(1)).isEqualTo(Map.of(NAME, new OffsetAndMetadata(12)));
    assertThat(registry.get("millrace.consumer.commit.failures").counter().count()).isEqualTo(1);
  }

  @Test
  void aFailedCommitOfALeavingPartitionDoesNotThrow() {
    finish(10);
    client.failure = new CommitFailedException("fenced");

    committer.commitNow(List.of(partition), Duration.ofSeconds(1));

    assertThat(client.sent).hasSize(1);
    assertThat(registry.get("millrace.consumer.commit.failures").counter().count()).isEqualTo(1);
  }

  @Test
  void anUnfinishedRecordIsNeverCommitted() {
    partition.tracker().issue(9, -1).start();
    finish(10);

    committer.commitIfDue(INTERVAL, 0, List.of(partition));
    committer.commitNow(List.of(partition), Duration.ofSeconds(1));

    assertThat(client.sent)
        .hasSize(2)
        .allSatisfy(
            commit -> {
              OffsetAndMetadata offset = commit.get(NAME);
              assertThat(offset.offset()).isEqualTo(9);
              assertThat(CompletedAhead.read(NAME, offset).orElseThrow().done())
                  .hasToString("[10..10]");
            });
  }

  @Test
  void aBrokerThatAllowsLessMetadataIsGivenLess() {
    partition.tracker().issue(0, -1);
    for (long offset = 1; offset < 4_000; offset += 2) {
      finish(offset * 1_000);
      partition.tracker().issue(offset * 1_000 + 1, -1);
    }
    client.mostMetadata = 100;

    committer.commitNow(List.of(partition), Duration.ofSeconds(1));

    Map<TopicPartition, OffsetAndMetadata> accepted = client.sent.get(client.sent.size() - 1);
    assertThat(accepted.get(NAME).metadata().length()).isBetween(20, 100);
    assertThat(registry.get("millrace.consumer.commit.failures").counter().count()).isZero();
  }

  /** The coordinator writes a commit as one batch, and refuses all of it beyond 1 MiB. */
  @Test
  void aCommitOfManyPartitionsIsNoLargerThanABatchMayBe() {
    List<AssignedPartition> many = new ArrayList<>();
    for (int number = 0; number < 600; number++) {
      AssignedPartition one =
          new AssignedPartition(new TopicPartition("orders", number), CompletedAhead.NONE);
      one.tracker().issue(0, -1);
      for (long offset = 1; offset < 4_000; offset += 2) {
        finish(one, offset * 1_000);
        one.tracker().issue(offset * 1_000 + 1, -1);
      }
      many.add(one);
    }

    committer.commitNow(many, Duration.ofSeconds(1));

    Map<TopicPartition, OffsetAndMetadata> commit = client.sent.get(0);
    assertThat(commit.values())
        .hasSize(600)
        .allSatisfy(offset -> assertThat(offset.metadata()).isNotEmpty());
    assertThat(commit.values().stream().mapToInt(offset -> offset.metadata().length()).sum())
        .isLessThan(700_000);
  }

  private void finish(long offset) {
    finish(partition, offset);
  }

  private static void finish(AssignedPartition partition, long offset) {
    OffsetTicket ticket = partition.tracker().issue(offset, -1);
    ticket.start();
    ticket.complete();
  }

  private static final class FakeClient implements OffsetCommitter.Client {
    final List<Map<TopicPartition, OffsetAndMetadata>> sent = new ArrayList<>();
    private final List<OffsetCommitCallback> unanswered = new ArrayList<>();
    @Nullable RuntimeException failure;
    int mostMetadata = CompletedAhead.MAX_CHARS;

    @Override
    public void commitAsync(
        Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
      sent.add(offsets);
      if (failure != null) {
        throw failure;
      }
      unanswered.add(callback);
    }

    @Override
    public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
      sent.add(offsets);
      if (offsets.values().stream().anyMatch(o -> o.metadata().length() > mostMetadata)) {
        throw new OffsetMetadataTooLarge("too much");
      }
      if (failure != null) {
        throw failure;
      }
    }

    void answer(@Nullable Exception result) {
      unanswered.remove(0).onComplete(sent.get(sent.size() - 1), result);
    }
  }
}
