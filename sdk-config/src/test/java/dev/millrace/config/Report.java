package dev.millrace.config;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Set;
import java.util.stream.Collectors;

/** What a loader says about a text. */
final class Report {
  static final ClientSettingNames SETTINGS =
      new ClientSettingNames(
          Set.of(
              "acks",
              "retries",
              "max.in.flight.requests.per.connection",
              "linger.ms",
              "compression.type",
              "enable.idempotence",
              "sasl.jaas.config"),
          Set.of("isolation.level", "fetch.min.bytes", "sasl.jaas.config"),
          Set.of());

  private Report() {}

  /** The problems, one a line. */
  static String of(ConfigLoader loader, String source, String text) {
    return exception(loader, source, text).problems().stream()
        .map(ConfigProblem::toString)
        .collect(Collectors.joining("\n"));
  }

  static String ofYaml(String text) {
    return of(ConfigLoader.create(), "kafka.yaml", text);
  }

  /** The problems of one consumer that is complete but for these lines. */
  static String ofConsumer(String lines) {
    return ofYaml(consumer(lines));
  }

  static String ofProducer(String lines) {
    return ofYaml("kafka:\n  producers:\n    p:\n      bootstrap-servers: a:1\n" + lines.indent(6));
  }

  static String consumer(String lines) {
    return "kafka:\n  consumers:\n    c:\n      bootstrap-servers: a:1\n      topics: [t]\n"
        + "      group-id: g\n"
        + lines.indent(6);
  }

  static ConfigException exception(ConfigLoader loader, String source, String text) {
    return catchThrowableOfType(ConfigException.class, () -> loader.parse(source, text));
  }
}
