package dev.millrace.testkit.history;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * How keys and values are written, so that what a consumer saw as a String and what a probe read as
 * bytes compare. Pure functions.
 */
public final class RecordText {
  private static final int DIGEST_BYTES = 8;

  private RecordText() {}

  /**
   * Returns a key as text: bytes as UTF-8, or as {@code 0x…} when they are none; anything else as
   * its {@code toString}.
   */
  public static @Nullable String key(@Nullable Object key) {
    if (key instanceof byte[] bytes) {
      try {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        return "0x" + HexFormat.of().formatHex(bytes);
      }
    }
    return key == null ? null : key.toString();
  }

  /**
   * Returns what stands for a value: 16 hexadecimal digits of its SHA-256, so that a history holds
   * no payload; {@code "null"} for none. Anything but bytes counts as the UTF-8 of its {@code
   * toString}.
   */
  public static String valueId(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    byte[] bytes =
        value instanceof byte[] b ? b : value.toString().getBytes(StandardCharsets.UTF_8);
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, DIGEST_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("Every JVM has SHA-256", e);
    }
  }
}
