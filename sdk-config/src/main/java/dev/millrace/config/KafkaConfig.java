package dev.millrace.config;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Everything a file says: the common settings, and the producers and consumers by name, in the
 * file's order.
 *
 * @param common what all clients share
 * @param producers the producers by name
 * @param consumers the consumers by name
 */
public record KafkaConfig(
    CommonDefinition common,
    Map<String, ProducerDefinition> producers,
    Map<String, ConsumerDefinition> consumers) {

  public KafkaConfig {
    producers = Collections.unmodifiableMap(new LinkedHashMap<>(producers));
    consumers = Collections.unmodifiableMap(new LinkedHashMap<>(consumers));
  }

  /**
   * Reads YAML or JSON files, merged in this order: short for {@code
   * ConfigLoader.create().load(files)}.
   *
   * @throws ConfigException with all problems of all files
   */
  public static KafkaConfig load(Path... files) {
    return ConfigLoader.create().load(files);
  }
}
