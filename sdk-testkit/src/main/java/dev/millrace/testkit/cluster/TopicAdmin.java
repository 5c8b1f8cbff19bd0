package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import dev.millrace.testkit.internal.Poll;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Creates and deletes topics and returns when clients see it. The controller answers when it has
 * decided; the brokers that clients ask learn of it a moment later.
 *
 * <p>Thread-safe.
 */
final class TopicAdmin {
  private final Admin admin;

  TopicAdmin(Admin admin) {
    this.admin = admin;
  }

  void create(String name, int partitions, Map<String, String> configs) {
    NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.empty());
    Answer.to("create topic " + name, admin.createTopics(List.of(topic.configs(configs))).all());
    long leaders = Poll.until(Answer.BOUND, () -> leaders(name), seen -> seen == partitions);
    if (leaders != partitions) {
      throw new TestKitException(
          "Topic %s has %d leaders for %d partitions".formatted(name, leaders, partitions), null);
    }
    awaitLeadersKnowIt(name, partitions);
  }

  /**
   * The metadata names a leader before that broker knows it is one. A batch refused in this moment
   * would be overtaken by its producer's next one; the admin client asks until the leader answers.
   * But it may ask a broker for the leaders that has not heard of the topic, and gives up on that.
   */
  private void awaitLeadersKnowIt(String topic, int partitions) {
    Map<TopicPartition, OffsetSpec> ends =
        IntStream.range(0, partitions)
            .boxed()
            .collect(
                Collectors.toMap(
                    number -> new TopicPartition(topic, number), number -> OffsetSpec.latest()));
    if (!Poll.until(Answer.BOUND, () -> answer(topic, ends), answered -> answered)) {
      throw new TestKitException(
          "Topic %s is created, but not all brokers know it after %s"
              .formatted(topic, Answer.BOUND),
          null);
    }
  }

  private boolean answer(String topic, Map<TopicPartition, OffsetSpec> ends) {
    try {
      Answer.to("ask the leaders of topic " + topic, admin.listOffsets(ends).all());
      return true;
    } catch (TestKitException e) {
      if (saysUnknown(e)) {
        return false;
      }
      throw e;
    }
  }

  /** A topic that is gone already is as good as deleted. */
  void delete(Collection<String> names) {
    admin.deleteTopics(names).topicNameValues().forEach(TopicAdmin::awaitDeleted);
    Set<String> left =
        Poll.until(Answer.BOUND, this::names, seen -> names.stream().noneMatch(seen::contains));
    if (names.stream().anyMatch(left::contains)) {
      throw new TestKitException(
          "Deleted topics %s, but still there are %s".formatted(names, left), null);
    }
  }

  /** The topics there are, without Kafka's own. */
  Set<String> names() {
    return Answer.to("list topics", admin.listTopics().names());
  }

  private static void awaitDeleted(String name, KafkaFuture<Void> answer) {
    try {
      Answer.to("delete topic " + name, answer);
    } catch (TestKitException e) {
      if (!saysUnknown(e)) {
        throw e;
      }
    }
  }

  private long leaders(String topic) {
    try {
      return Answer.to(
              "describe topic " + topic, admin.describeTopics(List.of(topic)).allTopicNames())
          .values()
          .stream()
          .flatMap(description -> description.partitions().stream())
          .filter(partition -> partition.leader() != null)
          .count();
    } catch (TestKitException e) {
      if (saysUnknown(e)) {
        return 0;
      }
      throw e;
    }
  }

  private static boolean saysUnknown(TestKitException e) {
    return e.getCause() instanceof UnknownTopicOrPartitionException;
  }
}
