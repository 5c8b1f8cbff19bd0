package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Utils;

/** Kafka's own topic of commits. One call's clients; not thread-safe. */
final class OffsetsTopic {
  private static final String NAME = Topic.GROUP_METADATA_TOPIC_NAME;

  private final Admin admin;
  private final BatchReader batches;

  OffsetsTopic(Admin admin, BatchReader batches) {
    this.admin = admin;
    this.batches = batches;
  }

  List<Commit> commits(String group) {
    TopicDescription topic;
    try {
      topic =
          Answer.to("describe " + NAME, admin.describeTopics(List.of(NAME)).allTopicNames())
              .values()
              .iterator()
              .next();
    } catch (TestKitException e) {
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        return List.of();
      }
      throw e;
    }
    // How the coordinators share the groups among them.
    int number = Utils.abs(group.hashCode()) % topic.partitions().size();
    TopicPartition partition = new TopicPartition(NAME, number);
    Node leader = topic.partitions().get(number).leader();
    if (leader == null) {
      throw new TestKitException(partition + " has no leader now: is its broker down?", null);
    }
    CommitLog log = new CommitLog(group);
    batches.read(leader, partition, begin(partition), log::add);
    return log.commits();
  }

  private long begin(TopicPartition partition) {
    return Answer.to(
            "ask where " + partition + " begins",
            admin.listOffsets(Map.of(partition, OffsetSpec.earliest())).partitionResult(partition))
        .offset();
  }
}
