package dev.millrace.internal.delivery;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.deadletter.DeadLetterHeaders;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * Says of a record that it has come back from a dead-letter topic, and for which group alone.
 *
 * <p>Services copy headers from what they read to what they write. So the mark has a checksum over
 * topic, key and value: on any other record it means nothing, since there it would keep groups from
 * a record that is meant for them. The checksum is no signature; who means to forge it can.
 *
 * @param group the group that the record is for
 * @param redrives how often it was redriven, this time included; from 1
 */
public record RedriveMark(String group, int redrives) {
  /** Of the digest's 32 bytes; chance does not find these either. */
  private static final int CHECK_BYTES = 16;

  private static final int NULL_LENGTH = -1;

  /**
   * Whether a record claims to be marked. Costs one look at each header, and none where none is.
   */
  public static boolean isClaimed(Headers headers) {
    return headers.lastHeader(DeadLetterHeaders.REDRIVE_GROUP) != null;
  }

  /**
   * Reads a record's mark.
   *
   * @param topic the one that the record stands in
   * @return empty when the record has none that is its own
   */
  public static Optional<RedriveMark> read(
      String topic, byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
    Header group = headers.lastHeader(DeadLetterHeaders.REDRIVE_GROUP);
    Header check = headers.lastHeader(DeadLetterHeaders.REDRIVE_CHECK);
    int redrives = redrives(headers);
    if (group == null || group.value() == null || check == null || redrives < 1) {
      return Optional.empty();
    }
    RedriveMark claimed = new RedriveMark(new String(group.value(), UTF_8), redrives);
    return MessageDigest.isEqual(claimed.check(topic, key, value), check.value())
        ? Optional.of(claimed)
        : Optional.empty();
  }

  /** Returns what a record's header says of earlier redrives; 0 when it says nothing readable. */
  public static int redrives(Headers headers) {
    Header header = headers.lastHeader(DeadLetterHeaders.REDRIVES);
    if (header == null || header.value() == null) {
      return 0;
    }
    try {
      return Math.max(0, Integer.parseInt(new String(header.value(), UTF_8)));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** Puts this mark on a record, in the place of any other. */
  public void stamp(String topic, byte @Nullable [] key, byte @Nullable [] value, Headers headers) {
    remove(headers);
    headers.add(DeadLetterHeaders.REDRIVE_GROUP, group.getBytes(UTF_8));
    headers.add(DeadLetterHeaders.REDRIVES, Integer.toString(redrives).getBytes(UTF_8));
    headers.add(DeadLetterHeaders.REDRIVE_CHECK, check(topic, key, value));
  }

  /** Takes away whatever mark there is. */
  public static void remove(Headers headers) {
    headers.remove(DeadLetterHeaders.REDRIVE_GROUP);
    headers.remove(DeadLetterHeaders.REDRIVES);
    headers.remove(DeadLetterHeaders.REDRIVE_CHECK);
  }

  private byte[] check(String topic, byte @Nullable [] key, byte @Nullable [] value) {
    MessageDigest digest = sha256();
    add(digest, topic.getBytes(UTF_8));
    add(digest, group.getBytes(UTF_8));
    add(digest, Integer.toString(redrives).getBytes(UTF_8));
    add(digest, key);
    add(digest, value);
    return HexFormat.of().formatHex(digest.digest(), 0, CHECK_BYTES).getBytes(UTF_8);
  }

  /** With its length before it, so that nothing moves from one part to the next unnoticed. */
  private static void add(MessageDigest digest, byte @Nullable [] part) {
    int length = part == null ? NULL_LENGTH : part.length;
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(length).array());
    if (part != null) {
      digest.update(part);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256.", e);
    }
  }
}
