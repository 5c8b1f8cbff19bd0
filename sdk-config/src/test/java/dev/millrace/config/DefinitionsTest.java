package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DefinitionsTest {
  private static final KafkaConfig CONFIG =
      ConfigLoader.create()
          .parse(
              "k",
              """
              kafka:
                common:
                  bootstrap-servers: a:1
                  properties: { sasl.jaas.config: hunter2 }
                producers: { p: { properties: { basic.auth.user.info: hunter2 } } }
                consumers: { c: { topics: t, group-id: g, properties: { ssl.key.password: hunter2 } } }
              """);

  @Test
  void theirTextNamesTheClientSettingsWithoutTheirValues() {
    assertThat(CONFIG.toString())
        .doesNotContain("hunter2")
        .contains("properties=[sasl.jaas.config]")
        .contains("properties=[basic.auth.user.info, sasl.jaas.config]")
        .contains("properties=[sasl.jaas.config, ssl.key.password]")
        .contains("subscription=[t]");
  }

  @Test
  void theirClientSettingsAreAnOrdinaryMapOtherwise() {
    assertThat(CONFIG.common().properties())
        .isEqualTo(Map.of("sasl.jaas.config", "hunter2"))
        .hasSameHashCodeAs(Map.of("sasl.jaas.config", "hunter2"))
        .containsEntry("sasl.jaas.config", "hunter2")
        .doesNotContainKey("other");
  }
}
