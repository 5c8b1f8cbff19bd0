package dev.millrace.internal.client;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.KafkaConfig;
import dev.millrace.config.ProducerDefinition;
import dev.millrace.config.TuningProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * docs/PRESETS.md against what definitions turn into, and that against what real clients got. Run
 * with {@code -Dmillrace.presets.write=true} it writes the tables.
 */
class PresetTableTest {
  private static final Path PAGE = Path.of("../docs/PRESETS.md");
  private static final String FIRST_HEADING = "## Producers, by `delivery-semantics`\n";
  private static final List<String> PROMISES =
      List.of("at-most-once", "at-least-once", "exactly-once");
  private static final List<String> PROFILES =
      List.of("balanced", "throughput", "latency", "durability");

  /** What is of the single client, not of any preset. */
  private static final Set<String> ITS_OWN = Set.of("bootstrap.servers", "client.id", "group.id");

  private final ClientProperties properties = new ClientProperties(null);

  @Test
  void thePageHasTheTables() throws IOException {
    String page = Files.readString(PAGE);
    int tables = page.indexOf(FIRST_HEADING);
    String words = tables < 0 ? page : page.substring(0, tables);
    if (Boolean.getBoolean("millrace.presets.write")) {
      Files.writeString(PAGE, words + tables());
    }
    assertThat(Files.readString(PAGE)).isEqualTo(words + tables());
  }

  @Test
  void noSettingIsBothOfAPromiseAndOfAProfile() {
    Set<String> profiles = new TreeSet<>();
    for (TuningProfile profile : TuningProfile.values()) {
      profiles.addAll(TuningProfiles.producer(profile).keySet());
      profiles.addAll(TuningProfiles.consumer(profile).keySet());
    }
    PROMISES.forEach(
        promise -> {
          assertThat(Presets.producer(producer(promise, "balanced").deliverySemantics()))
              .doesNotContainKeys(profiles.toArray(String[]::new));
          assertThat(
                  Presets.consumer(consumer("delivery-semantics: " + promise).deliverySemantics()))
              .doesNotContainKeys(profiles.toArray(String[]::new));
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"balanced", "throughput", "latency", "durability"})
  void aRealProducerGotWhatTheTablesSay(String profile) {
    for (String promise : PROMISES) {
      Map<String, Object> settings = properties.producerSettings(producer(promise, profile));
      Map<String, String> got = told("ProducerConfig", () -> new KafkaProducer<>(settings).close());

      assertThat(got).containsAllEntriesOf(parsed(settings, ProducerConfig.configDef()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"balanced", "throughput", "latency", "durability"})
  void aRealProducerOfAConsumersOutputsGotWhatTheTablesSay(String profile) {
    Map<String, Object> settings =
        properties.outputProducer(
            consumer("delivery-semantics: exactly-once, profile: " + profile));
    Map<String, String> got = told("ProducerConfig", () -> new KafkaProducer<>(settings).close());

    assertThat(got).containsAllEntriesOf(parsed(settings, ProducerConfig.configDef()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"balanced", "throughput", "latency", "durability"})
  void aRealConsumerGotWhatTheTablesSay(String profile) {
    for (String promise : PROMISES) {
      Map<String, Object> settings =
          settings(consumer("delivery-semantics: " + promise + ", profile: " + profile));
      Map<String, String> got = told("ConsumerConfig", () -> new KafkaConsumer<>(settings).close());

      assertThat(got).containsAllEntriesOf(parsed(settings, ConsumerConfig.configDef()));
    }
  }

  @Test
  void aRealQueueGotWhatTheTablesSay() {
    Map<String, Object> settings = settings(consumer("mode: queue"));
    Map<String, String> got =
        told("ShareConsumerConfig", () -> new KafkaShareConsumer<>(settings).close());

    assertThat(got).containsAllEntriesOf(parsed(settings, ConsumerConfig.configDef()));
  }

  /** What the client's own configuration says in the log when it is made. */
  private static Map<String, String> told(String config, Runnable makesClient) {
    Logger logger = (Logger) LoggerFactory.getLogger(AbstractConfig.class);
    Level before = logger.getLevel();
    ListAppender<ILoggingEvent> appender = new ListAppender<>();
    appender.start();
    logger.addAppender(appender);
    logger.setLevel(Level.INFO);
    logger.setAdditive(false);
    try {
      makesClient.run();
    } finally {
      logger.setLevel(before);
      logger.setAdditive(true);
      logger.detachAppender(appender);
    }
    Map<String, String> told = new HashMap<>();
    for (ILoggingEvent event : appender.list) {
      String text = event.getFormattedMessage();
      if (text.startsWith(config + " values:")) {
        text.lines()
            .filter(line -> line.contains(" = "))
            .forEach(
                line -> {
                  int equals = line.indexOf(" = ");
                  told.put(line.substring(0, equals).strip(), line.substring(equals + 3));
                });
      }
    }
    assertThat(told).isNotEmpty();
    return told;
  }

  /** The settings as the client writes them. */
  private static Map<String, String> parsed(Map<String, Object> settings, ConfigDef definitions) {
    Map<String, Object> values = definitions.parse(settings);
    Map<String, String> texts = new TreeMap<>();
    settings.forEach(
        (name, written) -> {
          String text = String.valueOf(values.get(name));
          texts.put(name, name.equals("acks") && text.equals("all") ? "-1" : text);
        });
    return texts;
  }

  // The tables.

  private String tables() {
    Map<String, Map<String, Object>> producers = new LinkedHashMap<>();
    Map<String, Map<String, Object>> consumers = new LinkedHashMap<>();
    for (String promise : PROMISES) {
      producers.put(promise, properties.producerSettings(producer(promise, "balanced")));
      consumers.put(promise, settings(consumer("delivery-semantics: " + promise)));
    }
    producers.put(
        "`exactly-once`, of a consumer's outputs",
        properties.outputProducer(consumer("delivery-semantics: exactly-once")));
    consumers.put("at-least-once, `mode: queue`", settings(consumer("mode: queue")));
    consumers.put(
        "any, `group-protocol: consumer`", settings(consumer("group-protocol: consumer")));
    return FIRST_HEADING
        + table(producers, this::isOfNoProfile, ProducerConfig.configDef())
        + "\n## Producers, by `profile`\n"
        + profiles(
            profile -> properties.producerSettings(producer("at-least-once", profile)),
            profile -> TuningProfiles.producer(profile).keySet(),
            ProducerConfig.configDef())
        + "\n## Consumers, by `delivery-semantics`\n"
        + table(consumers, this::isOfNoProfile, ConsumerConfig.configDef())
        + "\n`max.poll.records` is a quarter of `channel-capacity` where that is less; in a queue also 4 × `concurrency`.\n"
        + "\n## Consumers, by `profile`\n"
        + profiles(
            profile -> settings(consumer("profile: " + profile)),
            profile -> TuningProfiles.consumer(profile).keySet(),
            ConsumerConfig.configDef())
        + "\n## Millrace's own keys of a consumer\n"
        + ownKeys();
  }

  private boolean isOfNoProfile(String setting) {
    return !ITS_OWN.contains(setting)
        && PROFILES.stream()
            .map(profile -> TuningProfile.valueOf(profile.toUpperCase(Locale.ROOT)))
            .noneMatch(
                profile ->
                    TuningProfiles.producer(profile).containsKey(setting)
                        || TuningProfiles.consumer(profile).containsKey(setting));
  }

  private static String profiles(
      Function<String, Map<String, Object>> made,
      Function<TuningProfile, Set<String>> named,
      ConfigDef definitions) {
    Map<String, Map<String, Object>> columns = new LinkedHashMap<>();
    Set<String> rows = new TreeSet<>();
    for (String profile : PROFILES) {
      columns.put(profile, made.apply(profile));
      rows.addAll(named.apply(TuningProfile.valueOf(profile.toUpperCase(Locale.ROOT))));
    }
    return table(columns, rows::contains, definitions);
  }

  private static String table(
      Map<String, Map<String, Object>> columns, Predicate<String> isRow, ConfigDef definitions) {
    Set<String> rows = new TreeSet<>();
    columns.values().forEach(settings -> rows.addAll(settings.keySet()));
    rows.removeIf(isRow.negate());
    List<List<String>> lines = new ArrayList<>();
    for (String row : rows) {
      List<String> line = new ArrayList<>(List.of("`" + row + "`"));
      columns.values().forEach(settings -> line.add(cell(settings.get(row))));
      line.add(cell(definitions.defaultValues().get(row)));
      lines.add(line);
    }
    List<String> head = new ArrayList<>(List.of("setting"));
    columns.keySet().forEach(name -> head.add(name.contains(",") ? name : "`" + name + "`"));
    head.add("left to the client");
    return markdown(head, lines);
  }

  private static String cell(Object value) {
    if (value == null || value.toString().isEmpty()) {
      return "–";
    }
    String text = value instanceof Class<?> type ? type.getSimpleName() : value.toString();
    if (value instanceof List<?> list) {
      text =
          list.stream()
              .map(it -> it instanceof Class<?> type ? type.getSimpleName() : it.toString())
              .reduce((one, other) -> one + ", " + other)
              .orElse("–");
    }
    return text.replace("org.apache.kafka.clients.consumer.", "");
  }

  private String ownKeys() {
    List<List<String>> lines = new ArrayList<>();
    List<String> attempts = new ArrayList<>(List.of("`retry.max-attempts`"));
    List<String> start = new ArrayList<>(List.of("`on-missing-offset`"));
    for (String promise : PROMISES) {
      ConsumerDefinition made = consumer("delivery-semantics: " + promise);
      attempts.add(Integer.toString(made.retry().maxAttempts()));
      start.add(made.onMissingOffset().toString());
    }
    lines.add(attempts);
    lines.add(start);
    return markdown(
        List.of("default of", "`at-most-once`", "`at-least-once`", "`exactly-once`"), lines);
  }

  private static String markdown(List<String> head, List<List<String>> lines) {
    StringBuilder text = new StringBuilder("\n| " + String.join(" | ", head) + " |\n");
    text.append("|---".repeat(head.size())).append("|\n");
    lines.forEach(line -> text.append("| ").append(String.join(" | ", line)).append(" |\n"));
    return text.toString();
  }

  private Map<String, Object> settings(ConsumerDefinition definition) {
    return properties.consumerSettings(definition, "g").properties();
  }

  private static ProducerDefinition producer(String promise, String profile) {
    return Objects.requireNonNull(
        config(
                "producers: { p: { topics: [t], delivery-semantics: %s, profile: %s } }"
                    .formatted(promise, profile))
            .producers()
            .get("p"));
  }

  private static ConsumerDefinition consumer(String keys) {
    return Objects.requireNonNull(
        config("consumers: { c: { topics: [t], group-id: g, %s } }".formatted(keys))
            .consumers()
            .get("c"));
  }

  private static KafkaConfig config(String entries) {
    return ConfigLoader.create()
        .parse(
            "test",
            "kafka: { common: { bootstrap-servers: 'localhost:1' }, %s }".formatted(entries));
  }
}
