package dev.millrace.internal.client;

import java.util.Map;

/**
 * A consumer client's settings.
 *
 * @param properties by Kafka's own names
 * @param maxPollRecords the most records one poll returns, as the client will read it
 */
public record ConsumerSettings(Map<String, Object> properties, int maxPollRecords) {

  /** Values may be secrets. */
  @Override
  public String toString() {
    return "ConsumerSettings" + properties.keySet();
  }
}
