package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyTextTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"customer-42|\"customer-42\"", "Zoë 界 🙂|\"Zoë 界 🙂\"", "''|\"\""})
  void printableTextStandsInQuotes(String key, String shown) {
    assertThat(KeyText.of(key.getBytes(StandardCharsets.UTF_8))).isEqualTo(shown);
  }

  @Test
  void bytesThatAreNoTextStandAsHexDigits() {
    assertThat(KeyText.of(new byte[] {0, 1, (byte) 0xff})).isEqualTo("0x0001ff");
  }

  /** A line end or an escape sequence could forge a line of the log, or hide one. */
  @Test
  void textThatWouldChangeTheLineStandsAsHexDigits() {
    assertThat(KeyText.of("a\nb".getBytes(StandardCharsets.UTF_8))).isEqualTo("0x610a62");
    assertThat(KeyText.of("\u001b[2J".getBytes(StandardCharsets.UTF_8))).isEqualTo("0x1b5b324a");
    assertThat(KeyText.of("\u202e".getBytes(StandardCharsets.UTF_8))).isEqualTo("0xe280ae");
  }

  @Test
  void longKeysAreCutAndTellTheirSize() {
    assertThat(KeyText.of("k".repeat(500).getBytes(StandardCharsets.UTF_8)))
        .isEqualTo("\"" + "k".repeat(48) + "…\" (500 bytes)");
    assertThat(KeyText.of("🙂".repeat(50).getBytes(StandardCharsets.UTF_8)))
        .isEqualTo("\"" + "🙂".repeat(48) + "…\" (200 bytes)");
    assertThat(KeyText.of(new byte[100])).isEqualTo("0x" + "0".repeat(48) + "… (100 bytes)");
  }
}
