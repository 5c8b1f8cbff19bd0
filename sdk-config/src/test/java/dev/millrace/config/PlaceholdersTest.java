package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlaceholdersTest {
  private static final ConfigLoader LOADER =
      ConfigLoader.create()
          .environment(
              Map.of("HOST", "broker", "EMPTY", "", "TRICKY", "${HOST}", "PIN", "hunter2"));

  @ParameterizedTest
  @CsvSource({
    "${HOST}, broker",
    "a-${HOST}-${HOST}, a-broker-broker",
    "${NOPE:x}, x",
    "${NOPE:localhost:9092}, localhost:9092",
    "'a${NOPE:}', a",
    "'a${EMPTY:x}', a",
    "$${HOST}, ${HOST}",
    "'a $${b} ${HOST}', a ${b} broker",
    "${TRICKY}, ${HOST}",
    "$HOST, $HOST",
    "'5 $', 5 $"
  })
  void areFilledIntoValues(String text, String expected) {
    assertThat(LOADER.parse("k", serviceName(text)).common().serviceName()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "${NOPE} | '${NOPE}' is not defined; define it, or write ${NOPE:default}",
        "a${HOST | '${' without '}'; write $${ for a plain ${",
        "${} | a placeholder without a name; write ${NAME} or ${NAME:default}",
        "${A:${B}} | a placeholder inside a placeholder is not supported",
        "${file:} | the file of '${file:}' has no name",
        "${file:nope} | the file of '${file:nope}' does not exist",
        "${file:.} | the file of '${file:.}' is a directory, not a file",
        "${file:/dev/zero} | the file of '${file:/dev/zero}' is not a regular file",
      })
  void whatCannotBeFilledIsAProblem(String text, String message) {
    assertThat(Report.of(LOADER, "k", serviceName(text)))
        .isEqualTo("k:3:19 common.service-name: " + message);
  }

  @Test
  void theContentOfAFileNextToTheConfigIsFilledInWithoutItsLineEnd(@TempDir Path folder)
      throws IOException {
    Files.writeString(folder.resolve("secret"), "two\nlines\r\n");
    Path config = Files.writeString(folder.resolve("k.yaml"), serviceName("${file:secret}"));

    assertThat(LOADER.load(config).common().serviceName()).isEqualTo("two\nlines");
  }

  @Test
  void systemPropertiesStandInFrontOfTheEnvironment() {
    String path = System.getProperty("java.io.tmpdir");

    assertThat(
            ConfigLoader.create()
                .parse("k", serviceName("${java.io.tmpdir}"))
                .common()
                .serviceName())
        .isEqualTo(path);
  }

  @Test
  void noProblemShowsWhatWasFilledIn() {
    String yaml =
        """
        kafka:
          common:
            bootstrap-servers: ${PIN}
            connect-timeout: ${PIN}
            properties: ${PIN}
          producers:
            - { name: "${PIN}", topics: ["a ${PIN}"], delivery-semantics: "${PIN}" }
            - name: ${PIN}
              enable-idempotence: ${PIN}
              delivery-semantics: exactly-once
              properties: { acks: "${PIN}", enable.idempotence: "${PIN}" }
            - name: other
              delivery-semantics: exactly-once
              properties: { acks: "${PIN}" }
              topics: "${PIN},${PIN}"
          consumers: ${PIN}
        """;

    assertThat(Report.of(LOADER, "k.yaml", yaml))
        .doesNotContain("hunter2")
        .contains("k.yaml:3:24 common.bootstrap-servers: expected host:port with a port from 1")
        .contains("found the value of '${PIN}'")
        .contains("producers[2].properties.acks: the value of '${PIN}' contradicts")
        .contains("consumers: expected an object, found the value of '${PIN}'");
  }

  @Test
  void aPlaceholderForAWholeListWorks() {
    ConfigLoader loader = LOADER.environment(Map.of("SERVERS", "a:1,b:2"));

    assertThat(
            loader
                .parse("k", "kafka: { common: { bootstrap-servers: \"${SERVERS}\" } }")
                .common()
                .bootstrapServers())
        .containsExactly("a:1", "b:2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ service-name: ${HOST} }",
        "{ service-name: a-${HOST:b}-c, connect-timeout: 1s }",
        "{ bootstrap-servers: [ ${HOST} ] }",
        "{ service-name: $${HOST} }",
        "{ service-name: '😀', instance-id: ${HOST} }",
      })
  void oneWithinBracesIsToBeQuoted(String common) {
    assertThat(Report.of(LOADER, "k", "# 😀\r\nkafka:\r\n  common: " + common + "\n"))
        .startsWith("k:3:")
        .contains(": cannot be parsed: expected ',' or '")
        .endsWith(
            "', but got {; within { } and [ ] a value with a placeholder needs quotes, as in \"${NAME}\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{ service-name: a{b }", "{ service-name: '${HOST}' {", "[ $, {a: b} {c: d} ]"})
  void otherBrokenBracesAreNotTakenForOne(String common) {
    assertThat(Report.of(LOADER, "k", "kafka:\n  common: " + common))
        .contains(": cannot be parsed: ")
        .doesNotContain("placeholder");
  }

  private static String serviceName(String text) {
    return "kafka:\n  common:\n    service-name: " + text + "\n";
  }
}
