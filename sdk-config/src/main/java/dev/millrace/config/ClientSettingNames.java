package dev.millrace.config;

import java.util.Set;

/**
 * The names of the settings a Kafka client knows, against which {@code properties} are checked.
 * This module has no Kafka client on its classpath, so whoever has one hands the names in.
 *
 * @param producer the names of {@code ProducerConfig}
 * @param consumer the names of {@code ConsumerConfig}
 * @param classes those of either whose values are names of classes, one or several with commas
 *     between them: a class that can't be loaded is refused where its name stands
 */
public record ClientSettingNames(Set<String> producer, Set<String> consumer, Set<String> classes) {

  public ClientSettingNames {
    producer = Set.copyOf(producer);
    consumer = Set.copyOf(consumer);
    classes = Set.copyOf(classes);
  }
}
