package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.time.SteppedClock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What the stand-in for the Kafka client answers: two records, of now and of an hour later. */
class GroupMemberTest {
  private static final TopicPartition FIRST = new TopicPartition("orders", 0);
  private static final TopicPartition SECOND = new TopicPartition("orders", 1);
  private static final Duration NO_WAIT = Duration.ZERO;
  private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final SteppedClock clock = new SteppedClock();
  private final Cluster cluster =
      new Cluster(
          Objects.requireNonNull(DriverFixture.config("").consumers().get("order-consumer")),
          2,
          clock);

  GroupMemberTest() {
    cluster.append(record(0, "a", "1"));
    clock.advance(TimeUnit.HOURS.toNanos(1));
    cluster.append(record(0, "a", "2"));
  }

  private GroupMember member() {
    GroupMember member =
        new GroupMember(cluster, new ConsumerSettings(Map.of(), 10, Duration.ofMinutes(5)));
    member.subscribe(List.of("orders"), new Nobody());
    return member;
  }

  private GroupMember memberAtTheBeginning() {
    cluster.commit(Map.of(FIRST, new OffsetAndMetadata(0), SECOND, new OffsetAndMetadata(0)));
    return member();
  }

  private static final class Nobody implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
  }

  @Test
  void withoutACommittedOffsetItRefusesToBegin() {
    cluster.commit(Map.of(SECOND, new OffsetAndMetadata(0)));
    GroupMember member = member();

    assertThatThrownBy(() -> member.poll(NO_WAIT))
        .isInstanceOfSatisfying(
            NoOffsetForPartitionException.class,
            refused -> assertThat(refused.partitions()).containsExactly(FIRST));
    member.seek(FIRST, 1);
    assertThat(member.poll(NO_WAIT).records(FIRST)).hasSize(1);
  }

  @Test
  void withACommittedOffsetItGoesOnThere() {
    cluster.commit(Map.of(FIRST, new OffsetAndMetadata(1)));

    GroupMember member = member();
    assertThatThrownBy(() -> member.poll(NO_WAIT))
        .isInstanceOf(NoOffsetForPartitionException.class);
    member.seek(SECOND, 0);

    assertThat(member.poll(NO_WAIT).records(FIRST))
        .extracting(ConsumerRecord::offset)
        .containsExactly(1L);
    assertThat(member.committed(Set.of(FIRST, SECOND), NO_WAIT))
        .containsEntry(FIRST, new OffsetAndMetadata(1))
        .containsEntry(SECOND, null);
  }

  @Test
  void itKnowsItsLogs() {
    GroupMember member = memberAtTheBeginning();

    assertThat(member.beginningOffsets(List.of(FIRST), NO_WAIT)).containsEntry(FIRST, 0L);
    assertThat(member.endOffsets(List.of(FIRST, SECOND), NO_WAIT))
        .containsEntry(FIRST, 2L)
        .containsEntry(SECOND, 0L);
    assertThat(member.offsetsForTimes(Map.of(FIRST, HOUR_MILLIS, SECOND, HOUR_MILLIS), NO_WAIT))
        .containsEntry(FIRST, new OffsetAndTimestamp(1, HOUR_MILLIS))
        .containsEntry(SECOND, null);
  }

  @Test
  void aPausedPartitionBringsNothing() {
    GroupMember member = memberAtTheBeginning();
    member.poll(NO_WAIT);
    cluster.append(record(0, "a", "3"));
    member.pause(List.of(FIRST));
    assertThat(member.poll(NO_WAIT).isEmpty()).isTrue();
    assertThat(member.currentLag(FIRST)).hasValue(1);

    member.resume(List.of(FIRST));
    assertThat(member.poll(NO_WAIT).count()).isEqualTo(1);
    assertThat(member.currentLag(FIRST)).hasValue(0);
  }

  @Test
  void aPollBringsNoMoreThanItMay() {
    for (int i = 0; i < 20; i++) {
      cluster.append(record(1, "b", "x"));
    }
    GroupMember member = memberAtTheBeginning();

    assertThat(member.poll(NO_WAIT).count()).isEqualTo(10);
    assertThat(member.poll(NO_WAIT).count()).isEqualTo(10);
    assertThat(member.poll(NO_WAIT).count()).isEqualTo(2);
    assertThat(member.poll(NO_WAIT).count()).isZero();
  }
}
