package dev.millrace.internal.client;

import dev.millrace.errors.BrokerUnavailableException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What transactions need of their cluster, before the first one begins. */
public final class TransactionSupport {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionSupport.class);
  private static final String FEATURE = "transaction.version";
  private static final int SECOND_VERSION = 2;

  private final String owner;
  private final Brokers brokers;
  private final Set<String> transactionalIds;
  private final Map<String, Object> settings;

  /**
   * @param owner what needs them, for the texts
   * @param clients the clients' settings by transactional id; not empty
   */
  public TransactionSupport(
      String owner, Brokers brokers, Map<String, Map<String, Object>> clients) {
    this.owner = owner;
    this.brokers = brokers;
    this.transactionalIds = clients.keySet();
    this.settings = clients.values().iterator().next();
  }

  /**
   * Makes sure that a broker answers; aborts what an earlier process left open under the same ids,
   * which readers of committed records would wait for; and warns where the cluster can lose what it
   * has committed.
   *
   * @param topics the transactions write to
   * @throws BrokerUnavailableException when no broker answers within the connect time-out
   */
  public void prepare(Collection<String> topics) {
    brokers.requireReachable(owner, settings);
    attempt("look up " + FEATURE, this::logVersion);
    attempt("abort what an earlier process may have left open", this::abortOpen);
    attempt("look up how its topics are replicated", () -> warnOfThinReplication(topics));
  }

  /** None of it is needed to begin: who may not ask may yet be allowed to write. */
  private void attempt(String what, Runnable step) {
    try {
      step.run();
    } catch (KafkaException | BrokerUnavailableException e) {
      LOG.warn("{} could not {}: {}", owner, what, e.toString());
    }
  }

  private void logVersion() {
    FinalizedVersionRange version =
        brokers
            .ask(owner, settings, admin -> admin.describeFeatures().featureMetadata())
            .finalizedFeatures()
            .get(FEATURE);
    int level = version == null ? 0 : version.maxVersionLevel();
    if (level >= SECOND_VERSION) {
      LOG.info("{} uses transactions of version {} (KIP-890).", owner, level);
    } else {
      LOG.warn(
          "{} uses transactions of version {}: without the brokers' defence against late requests of an earlier transaction (KIP-890). Use brokers from Kafka 4.0 and enable it (kafka-features.sh upgrade --feature {}={}).",
          owner,
          level,
          FEATURE,
          SECOND_VERSION);
    }
  }

  /** It also has the brokers make the transactions' own topic, if this is the very first. */
  private void abortOpen() {
    var unused =
        brokers.ask(owner, settings, admin -> admin.fenceProducers(transactionalIds).all());
  }

  private void warnOfThinReplication(Collection<String> topics) {
    Set<String> needed = new TreeSet<>(topics);
    needed.add(Topic.TRANSACTION_STATE_TOPIC_NAME);
    needed.retainAll(
        brokers.ask(
            owner,
            settings,
            admin -> admin.listTopics(new ListTopicsOptions().listInternal(true)).names()));
    Map<String, TopicDescription> descriptions =
        brokers.ask(owner, settings, admin -> admin.describeTopics(needed).allTopicNames());
    Map<ConfigResource, Config> configs =
        brokers.ask(
            owner,
            settings,
            admin ->
                admin
                    .describeConfigs(needed.stream().map(TransactionSupport::resource).toList())
                    .all());
    List<String> thin = new ArrayList<>();
    for (String topic : needed) {
      int replicas = replicas(Objects.requireNonNull(descriptions.get(topic)));
      int inSync = minInSync(Objects.requireNonNull(configs.get(resource(topic))));
      if (replicas < 2 || inSync < 2) {
        thin.add("%s (%d replicas, min.insync.replicas %d)".formatted(topic, replicas, inSync));
      }
    }
    if (!thin.isEmpty()) {
      LOG.warn(
          "{} commits to topics of which one lost broker can take committed records with it: {}. Have at least 3 replicas and min.insync.replicas 2; for {} the brokers' transaction.state.log.replication.factor and .min.isr say it.",
          owner,
          String.join(", ", thin),
          Topic.TRANSACTION_STATE_TOPIC_NAME);
    }
  }

  private static ConfigResource resource(String topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic);
  }

  private static int replicas(TopicDescription description) {
    return description.partitions().stream()
        .mapToInt(partition -> partition.replicas().size())
        .min()
        .orElse(0);
  }

  private static int minInSync(Config config) {
    ConfigEntry entry = config.get(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG);
    return entry == null ? 1 : Integer.parseInt(entry.value());
  }
}
