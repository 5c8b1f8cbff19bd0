package dev.millrace.serialization;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.Format;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FormatsTest {
  private static final byte[] BYTES = {1, 2, 3};

  private final Formats formats = new Formats(null);

  @ParameterizedTest
  @EnumSource(
      value = Format.class,
      names = {"BYTES", "AUTO"})
  void handlersSendBytesAsTheyAre(Format format) {
    assertThat(formats.outputs(format, "copy").serialize("out", BYTES)).isEqualTo(BYTES);
  }

  @ParameterizedTest
  @EnumSource(
      value = Format.class,
      names = {"STRING", "AUTO"})
  void handlersSendTextAsItIs(Format format) {
    assertThat(formats.outputs(format, "copy").serialize("out", "text"))
        .isEqualTo("text".getBytes(UTF_8));
  }

  @Test
  void whatTheFormatDoesNotHoldIsRefused() {
    var bytes = formats.outputs(Format.BYTES, "copy");
    assertThatThrownBy(() -> bytes.serialize("out", "text")).isInstanceOf(ClassCastException.class);
  }
}
