package dev.millrace.internal.client;

import java.time.Duration;
import java.util.Map;

/**
 * A consumer client's settings.
 *
 * @param properties by Kafka's own names
 * @param maxPollRecords the most records one poll returns, as the client will read it
 * @param maxPollInterval between two polls, or the client leaves its group
 */
public record ConsumerSettings(
    Map<String, Object> properties, int maxPollRecords, Duration maxPollInterval) {

  /** Values may be secrets. */
  @Override
  public String toString() {
    return "ConsumerSettings" + properties.keySet();
  }
}
