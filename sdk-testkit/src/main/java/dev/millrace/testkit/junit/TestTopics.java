package dev.millrace.testkit.junit;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Topics and groups of one test, under names no other test has.
 *
 * <p>Every name carries the same mark, eight hexadecimal digits drawn for this test. After the test
 * all topics and groups whose name contains the mark are deleted, also those the code under test
 * made from such a name, like {@code orders-3f2a91c4.billing.dlq}. A group that still has members
 * then is left as it is, with a warning in the log: close what the test started.
 *
 * <p>Thread-safe.
 */
public final class TestTopics implements AutoCloseable {
  private final KafkaCluster kafka;
  private final String mark =
      String.format(Locale.ROOT, "%08x", ThreadLocalRandom.current().nextInt());

  TestTopics(KafkaCluster kafka) {
    this.kafka = kafka;
  }

  /**
   * Creates a topic and returns its real name.
   *
   * @param name what the test calls it; one topic for one name
   * @param partitions 1 or more
   * @throws TestKitException if the broker refuses
   */
  public String create(String name, int partitions) {
    return create(name, partitions, Map.of());
  }

  /**
   * Creates a topic with settings of its own and returns its real name.
   *
   * @see KafkaCluster#createTopic(String, int, Map)
   */
  public String create(String name, int partitions, Map<String, String> configs) {
    String real = name(name);
    kafka.createTopic(real, partitions, configs);
    return real;
  }

  /** Returns the real name without creating the topic, for one that must be missing at first. */
  public String name(String name) {
    return name + "-" + mark;
  }

  /** Returns a consumer group's id that only this test uses. The same name gives the same id. */
  public String groupId(String name) {
    return name + "-" + mark;
  }

  /** Deletes the test's topics and groups. The extension calls it after the test. */
  @Override
  public void close() {
    // A test that ended interrupted could not wait for the broker's answers.
    boolean interrupted = Thread.interrupted();
    try {
      GroupSweep.deleteGroups(kafka.admin(), mark);
    } finally {
      try {
        deleteTopics();
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  private void deleteTopics() {
    List<String> mine = kafka.topicNames().stream().filter(topic -> topic.contains(mark)).toList();
    if (!mine.isEmpty()) {
      kafka.deleteTopics(mine);
    }
  }
}
