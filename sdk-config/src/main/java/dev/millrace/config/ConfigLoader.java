package dev.millrace.config;

import dev.millrace.config.Node.Table;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads YAML or JSON into a {@link KafkaConfig}, in five steps: read → placeholders → defaults →
 * decode → validate. Immutable and thread-safe.
 *
 * <ul>
 *   <li>A file is JSON when its name ends in {@code .json}, YAML when it ends in {@code .yaml} or
 *       {@code .yml}, and else what its first characters look like. It is UTF-8 and at most 1 MiB
 *       large. What stands beside the top-level key {@code kafka} is not looked at. YAML aliases
 *       are refused: what entries share goes under {@code defaults}.
 *   <li>Keys and fixed words match in kebab-case, camelCase, PascalCase and snake_case. The names
 *       of producers and consumers, and those under {@code properties}, stay as written.
 *   <li>Values may hold <code>${NAME}</code>, <code>${NAME:default}</code> and <code>${file:path}
 *       </code>: the file's text without its last line end, relative to the config's folder. A
 *       plain <code>${</code> is written <code>$${</code>. No problem shows what was filled in.
 *   <li>{@code common}, {@code defaults} and the entry merge in this order: objects key by key, and
 *       of scalars and lists the later one stands.
 *   <li>Durations have a unit ({@code 100ms}, {@code 5s}, {@code 1m}, {@code 2h}) or are ISO-8601
 *       ({@code PT5S}). Sizes are bytes or have a unit in steps of 1024 ({@code 512KB}, {@code
 *       64MB}, {@code 1GB}).
 * </ul>
 */
public final class ConfigLoader {
  private final Map<String, String> environment;
  private final @Nullable ClientSettingNames clientSettings;

  private ConfigLoader(
      Map<String, String> environment, @Nullable ClientSettingNames clientSettings) {
    this.environment = environment;
    this.clientSettings = clientSettings;
  }

  /**
   * A loader whose placeholders see the environment variables and, in front of them, the system
   * properties of this moment, and which does not check the names under {@code properties}.
   */
  public static ConfigLoader create() {
    Map<String, String> environment = new HashMap<>(System.getenv());
    System.getProperties()
        .stringPropertyNames()
        .forEach(name -> environment.put(name, System.getProperty(name, "")));
    return new ConfigLoader(Map.copyOf(environment), null);
  }

  /** A loader whose placeholders see these variables only. */
  public ConfigLoader environment(Map<String, String> variables) {
    return new ConfigLoader(Map.copyOf(variables), clientSettings);
  }

  /** A loader that refuses names under {@code properties} which the Kafka clients do not know. */
  public ConfigLoader clientSettings(ClientSettingNames names) {
    return new ConfigLoader(environment, Objects.requireNonNull(names));
  }

  /**
   * Reads files and merges them in this order: objects key by key, and of scalars and lists the
   * later file's stands.
   *
   * @param files at least one
   * @throws ConfigException with all problems of all files
   * @throws IllegalArgumentException if no file is given
   */
  public KafkaConfig load(Path... files) {
    if (files.length == 0) {
      throw new IllegalArgumentException("no config file given");
    }
    Problems problems = new Problems(Arrays.stream(files).map(Path::toString).toList());
    List<Source> sources =
        Arrays.stream(files).flatMap(file -> Source.of(file, problems).stream()).toList();
    return build(sources, sources.size() == files.length, problems);
  }

  /**
   * Reads a text. Paths of <code>${file:…}</code> are relative to the working directory.
   *
   * @param sourceName what problems call the text; its ending tells JSON from YAML as a file's does
   * @throws ConfigException with all problems of the text
   */
  public KafkaConfig parse(String sourceName, String text) {
    Problems problems = new Problems(List.of(sourceName));
    if (text.length() > TextFile.MOST_BYTES) {
      problems.add(SourceLocation.wholeFile(sourceName), "the text is larger than 1 MiB", null);
      throw problems.exception();
    }
    return build(List.of(new Source(sourceName, Path.of(""), text)), true, problems);
  }

  private KafkaConfig build(List<Source> sources, boolean allRead, Problems problems) {
    Table root = null;
    boolean complete = allRead;
    for (Source source : sources) {
      Table file = readOne(source, problems);
      complete &= file != null;
      if (file != null) {
        root = root == null ? file : Layers.merge(root, file);
      }
    }
    if (root == null || !complete) {
      throw problems.exception();
    }
    return decode(root, problems);
  }

  /** Steps 1 and 2, and the keys in the spelling that step 3 needs. */
  private @Nullable Table readOne(Source source, Problems problems) {
    Node node = NodeReader.read(source, problems);
    if (node == null) {
      return null;
    }
    Node filled = new Placeholders(environment, source.folder(), problems).fill(node);
    return new KnownKeys(problems, clientSettings).check(filled, Shape.ROOT) instanceof Table table
        ? table
        : null;
  }

  /** Steps 3 to 5. */
  private KafkaConfig decode(Table root, Problems problems) {
    if (Layers.growTooLarge(root)) {
      problems.add(root.place(), "too many entries share too many values", "split the file");
      throw problems.exception();
    }
    Validator validator = new Validator(problems);
    CommonDefinition common = Decoder.common(new Fields(root.table("common"), problems));
    new SettingNames(clientSettings, problems).check(root);

    // The defaults on their own, so that a mistake in them shows before the first entry exists.
    Decoder.producer("", new Fields(Layers.base(root, "producers"), problems));
    Decoder.consumer("", new Fields(Layers.base(root, "consumers"), problems));

    Map<String, ProducerDefinition> producers = new LinkedHashMap<>();
    Layers.entries(root, "producers")
        .forEach(
            (name, entry) -> {
              Fields in = new Fields(entry, problems);
              ProducerDefinition producer = Decoder.producer(name, in);
              validator.producer(producer, in);
              producers.put(name, producer);
            });
    Map<String, ConsumerDefinition> consumers = new LinkedHashMap<>();
    Layers.entries(root, "consumers")
        .forEach(
            (name, entry) -> {
              Fields in = new Fields(entry, problems);
              ConsumerDefinition consumer = Decoder.consumer(name, in);
              validator.consumer(consumer, in);
              consumers.put(name, consumer);
            });
    problems.throwIfAny();
    return new KafkaConfig(common, producers, consumers);
  }
}
