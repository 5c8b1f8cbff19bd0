package dev.millrace.internal.client;

import dev.millrace.errors.InvalidDefinitionException;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.TopicConfig;

/**
 * What the settings of a retry topic must be, so that no record goes from it before its time: not
 * compacted, since several records of a key wait there, and kept for longer than they wait.
 */
public final class RetryTopicSettings {
  /** What Kafka keeps records for by default, beyond the time that they wait for. */
  private static final Duration OUTAGE = Duration.ofDays(7);

  private RetryTopicSettings() {}

  /** Returns those of a topic that is created. */
  static Map<String, String> created(Duration delay) {
    return Map.of(
        TopicConfig.CLEANUP_POLICY_CONFIG,
        TopicConfig.CLEANUP_POLICY_DELETE,
        TopicConfig.RETENTION_MS_CONFIG,
        Long.toString(delay.plus(OUTAGE).toMillis()));
  }

  /**
   * Looks at those of a topic that is there.
   *
   * @throws InvalidDefinitionException when records would be deleted before they are due
   */
  public static void require(String owner, String topic, Duration delay, Config told) {
    String policy = value(told, TopicConfig.CLEANUP_POLICY_CONFIG, "");
    if (policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
      throw new InvalidDefinitionException(
          "%s: its retry topic '%s' has cleanup.policy '%s', so of the records of a key that wait there only the last would stay; set it to 'delete'."
              .formatted(owner, topic, policy),
          null);
    }
    long retention = Long.parseLong(value(told, TopicConfig.RETENTION_MS_CONFIG, "-1"));
    if (retention >= 0 && retention <= delay.toMillis()) {
      throw new InvalidDefinitionException(
          "%s: its retry topic '%s' keeps records for %d ms (retention.ms), but they wait there for %d ms, so they would be deleted unhandled; set retention.ms to more than the delay and any outage."
              .formatted(owner, topic, retention, delay.toMillis()),
          null);
    }
  }

  /** What brokers of another make do not tell counts as fine. */
  private static String value(Config told, String name, String fine) {
    ConfigEntry entry = told.get(name);
    return entry == null || entry.value() == null ? fine : entry.value();
  }
}
