package dev.millrace.internal.client;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.KafkaConfig;
import dev.millrace.config.NearestNames;
import dev.millrace.config.ProducerDefinition;
import dev.millrace.errors.UnknownNameException;
import java.util.Map;

/** Finds what a configuration defines by name, or says what there is instead. */
public final class NamedDefinitions {
  private NamedDefinitions() {}

  /**
   * Returns a consumer's definition.
   *
   * @throws UnknownNameException when there is none of that name
   */
  public static ConsumerDefinition consumer(KafkaConfig config, String name) {
    return required(config.consumers(), name, "consumer");
  }

  /**
   * Returns a producer's definition.
   *
   * @throws UnknownNameException when there is none of that name
   */
  public static ProducerDefinition producer(KafkaConfig config, String name) {
    return required(config.producers(), name, "producer");
  }

  private static <D> D required(Map<String, D> definitions, String name, String kind) {
    D definition = definitions.get(name);
    if (definition == null) {
      throw new UnknownNameException(
          "The configuration has no %s '%s'; its %ss, nearest first: %s."
              .formatted(
                  kind,
                  name,
                  kind,
                  definitions.isEmpty()
                      ? "none"
                      : String.join(", ", NearestNames.sort(name, definitions.keySet()))),
          null);
    }
    return definition;
  }
}
