package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the bytes are: a config or a {@link ConfigException}, soon. */
class HostileInputTest {
  /** Of the processor's time, and far more than it takes. */
  private static final Duration SOON = Duration.ofSeconds(10);

  private static final int MEBIBYTE = 1 << 20;
  private static final String YAML =
      """
      # all there is
      kafka:
        common:
          bootstrap-servers: [ "a:1", 'b:2' ]
          service-name: ${NAME:x}
          properties: { sasl.jaas.config: $${x}, n: 1_000 }
        defaults: { consumers: { retry: { backoff: { initial: 100ms, jitter: 0.5 } } } }
        producers:
          - { name: p, topics: [t], delivery-semantics: exactly-once }
        consumers:
          c: { topics: "t", group-id: >-
              g
            , dead-letter: { topic: dead } }
      """;
  private static final String JSON =
      """
      {"kafka": {"common": {"bootstrap-servers": ["a:1"], "connect-timeout": "5s"},
       "consumers": [{"name": "c\\u00e4", "topics": ["t"], "group-id": "g", "concurrency": 5,
       "retry": {"backoff": {"jitter": 0.25}}, "dead-letter": {"enabled": true}}]}}
      """;

  @Test
  void randomBytes(@TempDir Path folder) throws IOException {
    Random random = new Random(42);
    for (int i = 0; i < 500; i++) {
      byte[] bytes = new byte[random.nextInt(2000)];
      random.nextBytes(bytes);
      Path file = folder.resolve(i % 2 == 0 ? "k.yaml" : "k.json");
      Files.write(file, bytes);
      loadsOrRefuses(() -> ConfigLoader.create().load(file));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {YAML, JSON})
  void randomMutations(String valid) {
    String alphabet = "{}[]:,-#&*!|>'\"%@`?~<$ \t\n\\0159aex.\uD800é\u0085";
    Random random = new Random(7);
    for (int i = 0; i < 5000; i++) {
      StringBuilder text = new StringBuilder(valid);
      for (int n = random.nextInt(4) + 1; n > 0; n--) {
        int from = random.nextInt(text.length());
        int to = Math.min(text.length(), from + random.nextInt(8));
        int letter = random.nextInt(alphabet.length());
        text.replace(from, to, random.nextBoolean() ? alphabet.substring(letter, letter + 1) : "");
      }
      loadsOrRefuses(() -> ConfigLoader.create().parse("k", text.toString()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[",
        "{",
        "{\"a\":",
        "{a: ",
        "- ",
        "? ",
        ": ",
        "! ",
        "&a ",
        "*a ",
        "% ",
        "\"",
        "|\n ",
        "a:\n",
        "---\n",
        "\n",
        "a,",
        "1",
        "${",
        "\t",
        "'",
        "}",
        "é",
        "kafka: {a: ",
        "kafka: [[",
        "a: b: "
      })
  void oneThingOverAndOver(String piece) {
    String text = piece.repeat(MEBIBYTE / piece.getBytes(StandardCharsets.UTF_8).length);

    loadsOrRefuses(() -> ConfigLoader.create().parse("k.yaml", text));
    loadsOrRefuses(() -> ConfigLoader.create().parse("k.json", text));
    loadsOrRefuses(
        () -> ConfigLoader.create().parse("k.yaml", "kafka: {a: [" + text.substring(20)));
    loadsOrRefuses(
        () -> ConfigLoader.create().parse("k.json", "{\"kafka\": [" + text.substring(20)));
  }

  @Test
  void deepNestingIsRefused() {
    assertThat(Report.ofYaml("kafka: " + "[".repeat(100)))
        .isEqualTo(
            "kafka.yaml:1:71: cannot be parsed: Document nesting depth (65) exceeds the maximum"
                + " allowed (64)");
  }

  @Test
  void aliasesAreRefusedSoThatNothingMultiplies() {
    String yaml =
        """
        kafka:
          common: &a { bootstrap-servers: "a:1" }
          producers: { p: *a }
        """;

    assertThat(Report.ofYaml(yaml))
        .isEqualTo(
            "kafka.yaml:3:16 producers.p: YAML aliases are not supported;"
                + " what entries share goes under 'defaults'");
  }

  @Test
  void manyEntriesThatShareVeryMuchAreRefused() {
    StringBuilder yaml = new StringBuilder("kafka:\n  common:\n    properties:\n");
    for (int i = 0; i < 10_000; i++) {
      yaml.append("      s").append(i).append(": 1\n");
    }
    yaml.append("  producers:\n");
    for (int i = 0; i < 10_000; i++) {
      yaml.append("    p").append(i).append(": {}\n");
    }

    assertThat(Report.ofYaml(yaml.toString()))
        .isEqualTo("kafka.yaml:1:1 kafka: too many entries share too many values; split the file");
  }

  @Test
  void placeholdersDoNotMultiplyEither() {
    ConfigLoader loader = ConfigLoader.create().environment(Map.of("LONG", "x".repeat(MEBIBYTE)));

    assertThat(
            Report.of(
                loader,
                "k",
                "kafka: { common: { service-name: '" + "${LONG}".repeat(9999) + "' } }"))
        .isEqualTo(
            "k:1:34 common.service-name: the placeholders' values are larger than 1 MiB together");
  }

  @Test
  void aReportHasAnEnd() {
    StringBuilder yaml = new StringBuilder("kafka:\n");
    for (int i = 0; i < 40_000; i++) {
      yaml.append("  k").append(i).append(": 1\n");
    }

    ConfigException report = Report.exception(ConfigLoader.create(), "k", yaml.toString());

    assertThat(report.problems()).hasSize(500);
    assertThat(report).hasMessageStartingWith("500 or more problems in k\n  k:2:3 k0: unknown key");
  }

  private static void loadsOrRefuses(Runnable loading) {
    // Not by the clock, which runs on while others have the processor.
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadCpuTime();
    try {
      loading.run();
    } catch (ConfigException e) {
      assertThat(e.problems()).isNotEmpty();
      assertThat(e.getMessage()).doesNotContain("Exception", "jackson", "yaml.org");
    }
    assertThat(Duration.ofNanos(threads.getCurrentThreadCpuTime() - before)).isLessThan(SOON);
  }
}
