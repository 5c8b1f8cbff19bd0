package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OffsetCommitterTest {
  private static final long INTERVAL = Duration.ofMillis(100).toNanos();
  private static final TopicPartition NAME = new TopicPartition("orders", 0);

  private final FakeClient client = new FakeClient();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final OffsetCommitter committer =
      new OffsetCommitter(
          "c",
          client,
          new ConsumerMeters(registry, "c", "g"),
          Duration.ofMillis(100),
          new StoppedClock());
  private final AssignedPartition partition = new AssignedPartition(NAME, CompletedAhead.NONE);

  @Test
  void nothingIsCommittedBeforeTheInterval() {
    finish(10);

    committer.commitIfDue(INTERVAL - 1, List.of(partition));
    assertThat(client.sent).isEmpty();

    committer.commitIfDue(INTERVAL, List.of(partition));
    assertThat(client.sent).containsExactly(Map.of(NAME, new OffsetAndMetadata(11)));
  }

  @Test
  void withoutNewsNothingIsSent() {
    finish(10);
    committer.commitIfDue(INTERVAL, List.of(partition));
    client.answer(null);

    committer.commitIfDue(2 * INTERVAL, List.of(partition));

    assertThat(client.sent).hasSize(1);
  }

  @Test
  void onlyOneCommitIsOnItsWay() {
    finish(10);
    committer.commitIfDue(INTERVAL, List.of(partition));
    finish(11);
    committer.commitIfDue(2 * INTERVAL, List.of(partition));
    assertThat(client.sent).hasSize(1);

    client.answer(null);
    committer.commitIfDue(3 * INTERVAL, List.of(partition));

    assertThat(client.sent.get(1)).isEqualTo(Map.of(NAME, new OffsetAndMetadata(12)));
  }

  @Test
  void afterAFailureTheNextCommitSaysTheSameAndMore() {
    finish(10);
    committer.commitIfDue(INTERVAL, List.of(partition));
    client.answer(new RetriableCommitFailedException("coordinator moved"));
    finish(11);

    committer.commitIfDue(2 * INTERVAL, List.of(partition));

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

    committer.commitIfDue(INTERVAL, List.of(partition));
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
