package dev.millrace.internal.consumer;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** A key as text that fits a line, whatever its bytes. */
final class KeyText {
  private static final int MOST_CHARS = 48;

  private KeyText() {}

  /**
   * Returns printable UTF-8 in quotes, all else as hex digits; longer ones cut, with their size.
   */
  static String of(byte[] key) {
    String text = printable(key);
    String whole = text == null ? HexFormat.of().formatHex(key) : text;
    String shown =
        whole.codePointCount(0, whole.length()) <= MOST_CHARS
            ? whole
            : whole.substring(0, whole.offsetByCodePoints(0, MOST_CHARS)) + "…";
    String marked = text == null ? "0x" + shown : '"' + shown + '"';
    return shown.equals(whole) ? marked : marked + " (" + key.length + " bytes)";
  }

  private static @Nullable String printable(byte[] key) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
      return text.codePoints().allMatch(KeyText::isPrintable) ? text : null;
    } catch (CharacterCodingException notText) {
      return null;
    }
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
