package dev.millrace.internal.client;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.errors.BrokerUnavailableException;
import dev.millrace.errors.InvalidDefinitionException;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a share group (KIP-932) needs of its cluster before its first member is made. */
public final class ShareGroups {
  private static final Logger LOG = LoggerFactory.getLogger(ShareGroups.class);
  private static final String FEATURE = "share.version";
  private static final String START = "share.auto.offset.reset";
  private static final Config NOTHING_KNOWN = new Config(List.of());

  private final Brokers brokers;
  private final Map<String, Object> settings;

  /**
   * @param settings the client's
   */
  public ShareGroups(Brokers brokers, Map<String, Object> settings) {
    this.brokers = brokers;
    this.settings = settings;
  }

  /**
   * Makes sure that the cluster has share groups, and has this one start where the definition says,
   * unless somebody has told the group otherwise.
   *
   * @throws BrokerUnavailableException when no broker answers within the connect time-out
   * @throws InvalidDefinitionException when the cluster has no share groups
   */
  public void prepare(ConsumerDefinition definition) {
    String owner = "Consumer '" + definition.name() + "'";
    requireFeature(owner);
    String start = text(definition.onMissingOffset());
    try {
      startAt(owner, definition.groupId(), start);
    } catch (KafkaException e) {
      LOG.warn(
          "{} could not see to it that its group '{}' starts at '{}': {}. A new share group starts at 'latest', and passes over what was sent before; {} is a setting of the group (kafka-configs.sh --entity-type groups).",
          owner,
          definition.groupId(),
          start,
          e.toString(),
          START);
    }
  }

  private void requireFeature(String owner) {
    FinalizedVersionRange version =
        brokers
            .ask(owner, settings, admin -> admin.describeFeatures().featureMetadata())
            .finalizedFeatures()
            .get(FEATURE);
    if (version == null || version.maxVersionLevel() < 1) {
      throw new InvalidDefinitionException(
          "%s: 'mode: queue' needs share groups (KIP-932), which the cluster at %s does not have: its feature %s is %s. Use brokers from Kafka 4.2 and enable it (kafka-features.sh upgrade --feature %s=1), or write 'mode: group'."
              .formatted(
                  owner,
                  settings.getOrDefault(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, ""),
                  FEATURE,
                  version == null ? "off" : version.maxVersionLevel(),
                  FEATURE),
          null);
    }
  }

  private void startAt(String owner, String groupId, String start) {
    ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, groupId);
    ConfigEntry known =
        brokers
            .ask(owner, settings, admin -> admin.describeConfigs(List.of(group)).all())
            .getOrDefault(group, NOTHING_KNOWN)
            .get(START);
    if (known != null && start.equals(known.value())) {
      return;
    }
    if (known != null && known.source() == ConfigEntry.ConfigSource.DYNAMIC_GROUP_CONFIG) {
      LOG.warn(
          "{} says on-missing-offset '{}', but its group '{}' has been told {}={}, which holds.",
          owner,
          start,
          groupId,
          START,
          known.value());
      return;
    }
    var unused =
        brokers.ask(owner, settings, admin -> set(admin, group, new ConfigEntry(START, start)));
    LOG.info("{} has set {}={} of its group '{}'.", owner, START, start, groupId);
  }

  private static KafkaFuture<Void> set(Admin admin, ConfigResource group, ConfigEntry entry) {
    return admin
        .incrementalAlterConfigs(
            Map.of(group, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
        .all();
  }

  /** Returns it as the brokers write it. */
  private static String text(MissingOffset offset) {
    return switch (offset.start()) {
      case EARLIEST -> "earliest";
      case LATEST -> "latest";
      case BY_DURATION -> "by_duration:" + offset.back();
      case FAIL -> throw new IllegalStateException("A queue can't fail without an offset.");
    };
  }
}
