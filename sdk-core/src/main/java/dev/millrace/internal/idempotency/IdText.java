package dev.millrace.internal.idempotency;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Ids as any store can hold them: printable text, of bounded length. What is no such text is known
 * by its SHA-256 digest; whoever could forge one could as well forge the id.
 */
final class IdText {
  static final int MOST_CHARS = 255;

  private IdText() {}

  static String of(byte[] id) {
    String text = decoded(id);
    return text != null && isPlain(text) ? text : "sha256:" + HexFormat.of().formatHex(digest(id));
  }

  static String of(String id) {
    return isPlain(id) ? id : of(id.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean isPlain(String text) {
    return text.length() <= MOST_CHARS && text.chars().noneMatch(IdText::isHostile);
  }

  /** Databases refuse some of these, and trim others at a text's end. */
  private static boolean isHostile(int character) {
    return Character.isISOControl(character)
        || Character.isWhitespace(character)
        || Character.isSurrogate((char) character);
  }

  private static @Nullable String decoded(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException notText) {
      return null;
    }
  }

  private static byte[] digest(byte[] id) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(id);
    } catch (NoSuchAlgorithmException impossible) { // Each JDK has it.
      throw new IllegalStateException(impossible);
    }
  }
}
