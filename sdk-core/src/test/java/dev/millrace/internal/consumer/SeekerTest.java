package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Where a seek by timestamp goes on in a retry topic, whose records wait for their time. */
class SeekerTest {
  private static final TopicPartition SOURCE = new TopicPartition("orders", 0);
  private static final TopicPartition RETRY = new TopicPartition("orders.group.retry.1", 0);

  private final Assignment assignment =
      new Assignment(new ConsumerMeters(new SimpleMeterRegistry(), "c", "g"), abandoned -> {});
  private final Seeker seeker =
      new Seeker(
          "c",
          new MockConsumer<byte[], byte[]>("none"),
          assignment,
          RETRY::equals,
          Promise.AT_LEAST_ONCE);

  /** It was just assigned, and the group has committed nothing: all of it is yet to be handled. */
  @Test
  void aRetryTopicOfWhichNoPositionIsKnownIsReadFromWhereItsLogBegins() {
    assignment.add(new AssignedPartition(RETRY, CompletedAhead.NONE));

    assertThat(beforeWhatWaits(RETRY, 30)).containsExactly(Map.entry(RETRY, 20L));
    assertThat(beforeWhatWaits(RETRY, 10)).containsExactly(Map.entry(RETRY, 10L));
  }

  @Test
  void aRetryTopicIsReadFromWhereTheGroupHasCommittedBeforeAnythingWasPolled() {
    AssignedPartition committed = new AssignedPartition(RETRY, CompletedAhead.NONE);
    committed.startsAt(new OffsetAndMetadata(25));
    assignment.add(committed);

    assertThat(beforeWhatWaits(RETRY, 30)).containsExactly(Map.entry(RETRY, 25L));
  }

  @Test
  void otherTopicsAreReadFromWhereTheyAreTold() {
    assignment.add(new AssignedPartition(SOURCE, CompletedAhead.NONE));

    assertThat(beforeWhatWaits(SOURCE, 30)).containsExactly(Map.entry(SOURCE, 30L));
  }

  /** Each log begins at 20. */
  private Map<TopicPartition, Long> beforeWhatWaits(TopicPartition name, long target) {
    return seeker.beforeWhatWaits(
        Map.of(name, target),
        names -> names.stream().collect(Collectors.toMap(its -> its, its -> 20L)));
  }
}
