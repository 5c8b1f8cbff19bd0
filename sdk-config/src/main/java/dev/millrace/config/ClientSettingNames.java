package dev.millrace.config;

import java.util.Set;

/**
 * The names of the settings a Kafka client knows, against which {@code properties} are checked.
 * This module has no Kafka client on its classpath, so whoever has one hands the names in.
 *
 * @param producer the names of {@code ProducerConfig}
 * @param consumer the names of {@code ConsumerConfig}
 */
public record ClientSettingNames(Set<String> producer, Set<String> consumer) {

  public ClientSettingNames {
    producer = Set.copyOf(producer);
    consumer = Set.copyOf(consumer);
  }
}
