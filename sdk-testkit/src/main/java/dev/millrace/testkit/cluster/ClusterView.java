package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import dev.millrace.testkit.internal.Poll;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Who does what in the cluster, as its brokers tell.
 *
 * <p>Thread-safe.
 */
final class ClusterView {
  /** In ms. Who stands still does not answer at all, and another broker knows as much. */
  private static final int ASK_ANOTHER_AFTER = 2_000;

  /** How long a broker may know nothing yet of a topic of which another one has told. */
  private static final Duration NEWS = Duration.ofSeconds(10);

  private static final long PAUSE_NANOS = Duration.ofMillis(20).toNanos();
  private final Admin admin;

  ClusterView(Admin admin) {
    this.admin = admin;
  }

  /** Returns when clients are told of all the brokers. */
  void await(Set<Integer> ids, Duration bound) {
    Set<Integer> seen = Poll.until(bound, this::brokers, brokers -> brokers.containsAll(ids));
    if (!seen.containsAll(ids)) {
      throw new TestKitException(
          "Clients are told of the brokers %s and not of all of %s after %s"
              .formatted(seen, ids, bound),
          null);
    }
  }

  private Set<Integer> brokers() {
    return ask(
            "describe the cluster",
            () ->
                admin
                    .describeCluster(new DescribeClusterOptions().timeoutMs(ASK_ANOTHER_AFTER))
                    .nodes())
        .stream()
        .map(Node::id)
        .collect(Collectors.toSet());
  }

  int leaderOf(TopicPartition partition) {
    return partitions(partition.topic()).stream()
        .filter(info -> info.partition() == partition.partition())
        .findFirst()
        .map(info -> leader(partition, info))
        .orElseThrow(() -> new TestKitException("There is no partition " + partition, null));
  }

  /**
   * A group's coordinator leads the partition that the group's offsets are in, and brokers and
   * clients agree on its number by the id's hash. To ask for the coordinator would need the group
   * to exist already.
   */
  int coordinatorOf(String groupId) {
    int count = partitions(Topic.GROUP_METADATA_TOPIC_NAME).size();
    return leaderOf(
        new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, Utils.abs(groupId.hashCode()) % count));
  }

  private List<TopicPartitionInfo> partitions(String topic) {
    DescribeTopicsOptions soon = new DescribeTopicsOptions().timeoutMs(ASK_ANOTHER_AFTER);
    return ask(
            "describe topic " + topic,
            () -> admin.describeTopics(List.of(topic), soon).allTopicNames())
        .values()
        .iterator()
        .next()
        .partitions();
  }

  private static <T> T ask(String request, Supplier<KafkaFuture<T>> question) {
    long start = System.nanoTime();
    while (true) {
      try {
        return Answer.to(request, question.get());
      } catch (TestKitException e) {
        if (System.nanoTime() - start >= patienceWith(e.getCause()).toNanos()) {
          throw e;
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private static Duration patienceWith(@Nullable Throwable cause) {
    if (cause instanceof TimeoutException) {
      return Answer.BOUND;
    }
    return cause instanceof UnknownTopicOrPartitionException ? NEWS : Duration.ZERO;
  }

  private static int leader(TopicPartition partition, TopicPartitionInfo info) {
    Node leader = info.leader();
    if (leader == null || leader.isEmpty()) {
      throw new TestKitException(
          "%s has no leader; in sync are %s".formatted(partition, info.isr()), null);
    }
    return leader.id();
  }
}
