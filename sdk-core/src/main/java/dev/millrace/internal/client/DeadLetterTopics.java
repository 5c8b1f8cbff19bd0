package dev.millrace.internal.client;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.jspecify.annotations.Nullable;

/** What is asked of the brokers about the topics of a consumer's failed records. Any thread. */
public final class DeadLetterTopics {
  private final String owner;
  private final Brokers brokers;
  private final Map<String, Object> settings;

  /**
   * @param owner what asks, for the texts
   * @param settings of a client that reaches the brokers
   */
  public DeadLetterTopics(String owner, Brokers brokers, Map<String, Object> settings) {
    this.owner = owner;
    this.brokers = brokers;
    this.settings = settings;
  }

  /** Returns the names of the topics there are that pass, in order. */
  public Set<String> named(Predicate<String> wanted) {
    Set<String> names = brokers.ask(owner, settings, admin -> admin.listTopics().names());
    return names.stream().filter(wanted).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns what becomes of the topic's old records: {@code delete}, {@code compact} or both. */
  public Set<String> cleanupPolicy(String topic) {
    String policy = setting(topic, TopicConfig.CLEANUP_POLICY_CONFIG);
    return new TreeSet<>(Arrays.asList(policy.split("\\s*,\\s*")));
  }

  /** Returns whether of a key only the last record stays; not where the brokers do not tell. */
  public boolean isCompacted(String topic) {
    try {
      return cleanupPolicy(topic).contains(TopicConfig.CLEANUP_POLICY_COMPACT);
    } catch (KafkaException notTold) {
      return false;
    }
  }

  /**
   * Returns how many bytes a batch of records may have ({@code max.message.bytes}). Where the
   * brokers do not tell, it is for them to refuse what is too large.
   */
  public int largestBatch(String topic) {
    try {
      return Integer.parseInt(setting(topic, TopicConfig.MAX_MESSAGE_BYTES_CONFIG));
    } catch (KafkaException notTold) {
      return Integer.MAX_VALUE;
    }
  }

  /**
   * Returns whether a topic takes batches as they are compressed; elsewhere the brokers do it anew,
   * and they may become larger.
   */
  public boolean keepsCompression(String topic, String compression) {
    try {
      return Set.of("producer", compression)
          .contains(setting(topic, TopicConfig.COMPRESSION_TYPE_CONFIG));
    } catch (KafkaException notTold) {
      return false;
    }
  }

  /**
   * Makes sure, without writing, that a topic is there and may be written to (KIP-430). What the
   * brokers do not tell counts as allowed.
   *
   * @throws dev.millrace.errors.BrokerUnavailableException when no broker answers
   * @throws KafkaException when it is not there, or may not be written to
   */
  public void requireWritable(String topic) {
    Set<AclOperation> allowed = allowed(topic);
    if (allowed != null && !allowed.contains(AclOperation.WRITE)) {
      throw new TopicAuthorizationException(Set.of(topic));
    }
  }

  private @Nullable Set<AclOperation> allowed(String topic) {
    DescribeTopicsOptions options = new DescribeTopicsOptions().includeAuthorizedOperations(true);
    try {
      return Objects.requireNonNull(
              brokers
                  .ask(
                      owner,
                      settings,
                      admin -> admin.describeTopics(List.of(topic), options).allTopicNames())
                  .get(topic))
          .authorizedOperations();
    } catch (TopicAuthorizationException unnamed) {
      return Set.of();
    }
  }

  private String setting(String topic, String name) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    Config config =
        Objects.requireNonNull(
            brokers
                .ask(owner, settings, admin -> admin.describeConfigs(List.of(resource)).all())
                .get(resource));
    return config.get(name).value();
  }

  /** Has the brokers delete what lies before the offset. */
  public void deleteBefore(TopicPartition partition, long offset) {
    var unused =
        brokers.ask(
            owner,
            settings,
            admin ->
                admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(offset))).all());
  }
}
