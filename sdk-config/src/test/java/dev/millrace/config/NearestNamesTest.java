package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNamesTest {
  private static final List<String> NAMES =
      List.of("order-producer", "audit-producer", "topics", "group-id", "ordering", "retry");

  @ParameterizedTest
  @CsvSource({
    "orderng, ordering",
    "odrering, ordering",
    "OrderProducer, order-producer",
    "order_producr, order-producer",
    "topic, topics",
    "group, group-id",
    "rtery, retry"
  })
  void aTypingErrorFindsItsName(String wanted, String expected) {
    assertThat(NearestNames.suggest(wanted, NAMES)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({"payments", "x", "''", "or"})
  void whatIsFarFromAllNamesFindsNone(String wanted) {
    assertThat(NearestNames.suggest(wanted, NAMES)).isEmpty();
  }

  @Test
  void sortsAllNamesTheNearestFirst() {
    assertThat(NearestNames.sort("audit-produce", NAMES))
        .hasSameSizeAs(NAMES)
        .startsWith("audit-producer", "order-producer");
    assertThat(NearestNames.sort("x", List.of())).isEmpty();
    assertThat(NearestNames.sort("aa", List.of("ac", "ab"))).containsExactly("ab", "ac");
  }
}
