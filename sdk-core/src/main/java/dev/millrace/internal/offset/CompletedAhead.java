package dev.millrace.internal.offset;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The records that are done beyond a committed offset, as they stand in the commit's metadata: a
 * consumer that takes the partition over does not handle them again.
 *
 * <p>The text is {@code mr1.} and, in Base64: a CRC-32C, the kind, the leader epoch, the offsets as
 * distances from the committed one. The checksum also covers topic, partition and committed offset,
 * so that a text which some tool has carried elsewhere is not believed. What is not believed means
 * that records are handled again; nothing is ever skipped for it.
 *
 * @param committed the offset it is saved with. A log that is read from below it is another one:
 *     its topic was made anew, or its end was cut off
 * @param done offsets of done records, all at or above the committed offset
 * @param epoch no record in {@code done} has a leader epoch above this one. A log that an unclean
 *     election has cut goes on with other records under the same offsets, and a higher epoch
 */
public record CompletedAhead(long committed, OffsetRanges done, int epoch) {
  /** Nothing is known to be done. */
  public static final CompletedAhead NONE = new CompletedAhead(0, OffsetRanges.NONE, -1);

  /** The broker's default of {@code offset.metadata.max.bytes}. */
  public static final int MAX_CHARS = 4096;

  private static final String MARK = "mr1.";
  private static final int CHECKSUM_BYTES = Integer.BYTES;

  /** Alternating lengths of what is open and what is done: small when runs are long. */
  private static final byte RUNS = 0;

  /** A bit an offset: bounded whatever the pattern. */
  private static final byte BITS = 1;

  /**
   * As metadata, as far as it fits.
   *
   * @param text empty when there is nothing to say, or no room to say it
   * @param end every done offset below this one is in the text
   */
  public record Saved(String text, long end) {}

  /** Returns the metadata for the commit, at most {@code maxChars} long. */
  public Saved save(TopicPartition partition, int maxChars) {
    int room = (maxChars - MARK.length()) / 4 * 3 - CHECKSUM_BYTES;
    int bodyRoom = room - 1 - Varint.size(epoch + 1);
    if (done.isEmpty() || bodyRoom <= 0) {
      return new Saved("", done.isEmpty() ? Long.MAX_VALUE : committed);
    }
    Body runs = runs(bodyRoom);
    Body bits = bits(bodyRoom);
    Body body = runs.reachesAsFarForLess(bits) ? runs : bits;
    ByteBuffer content =
        ByteBuffer.allocate(1 + Varint.size(epoch + 1) + body.bytes.remaining()).put(body.kind);
    Varint.write(epoch + 1, content);
    content.put(body.bytes);
    byte[] packed =
        ByteBuffer.allocate(CHECKSUM_BYTES + content.capacity())
            .putInt(checksum(partition, committed, content.array()))
            .put(content.array())
            .array();
    return new Saved(
        MARK + Base64.getUrlEncoder().withoutPadding().encodeToString(packed), body.end);
  }

  /**
   * Reads what a commit's metadata says.
   *
   * @return empty when it is ours but can't be trusted; {@link #NONE} when it says nothing to us
   */
  public static Optional<CompletedAhead> read(
      TopicPartition partition, OffsetAndMetadata committed) {
    String text = committed.metadata();
    if (!text.startsWith(MARK)) {
      return Optional.of(NONE);
    }
    try {
      byte[] packed = Base64.getUrlDecoder().decode(text.substring(MARK.length()));
      ByteBuffer buffer = ByteBuffer.wrap(packed);
      int checksum = buffer.getInt();
      byte[] content = new byte[buffer.remaining()];
      buffer.slice().get(content);
      if (checksum != checksum(partition, committed.offset(), content)) {
        return Optional.empty();
      }
      byte kind = buffer.get();
      int epoch = Math.toIntExact(Varint.read(buffer)) - 1;
      OffsetRanges done =
          kind == RUNS
              ? readRuns(committed.offset(), buffer)
              : readBits(committed.offset(), buffer);
      return Optional.of(new CompletedAhead(committed.offset(), done, epoch));
    } catch (IllegalArgumentException | ArithmeticException | BufferUnderflowException e) {
      return Optional.empty();
    }
  }

  /** Returns what is done at or above an offset. */
  OffsetRanges doneFrom(long offset) {
    OffsetRanges.Builder rest = new OffsetRanges.Builder();
    for (int i = 0; i < done.count(); i++) {
      if (done.to(i) > offset) {
        rest.add(Math.max(offset, done.from(i)), done.to(i));
      }
    }
    return rest.build();
  }

  /**
   * One encoding.
   *
   * @param end what is done below it is in the bytes
   */
  private record Body(byte kind, ByteBuffer bytes, long end) {
    boolean reachesAsFarForLess(Body other) {
      return end == other.end ? bytes.remaining() <= other.bytes.remaining() : end > other.end;
    }
  }

  private Body runs(int room) {
    ByteBuffer bytes = ByteBuffer.allocate(room);
    long at = committed;
    for (int i = 0; i < done.count(); i++) {
      long open = done.from(i) - at;
      long ended = done.to(i) - done.from(i);
      if (Varint.size(open) + Varint.size(ended) > bytes.remaining()) {
        return new Body(RUNS, bytes.flip(), at);
      }
      Varint.write(open, bytes);
      Varint.write(ended, bytes);
      at = done.to(i);
    }
    return new Body(RUNS, bytes.flip(), Long.MAX_VALUE);
  }

  private static OffsetRanges readRuns(long committed, ByteBuffer bytes) {
    OffsetRanges.Builder ranges = new OffsetRanges.Builder();
    long at = committed;
    while (bytes.hasRemaining()) {
      long from = at + Varint.read(bytes);
      at = from + Varint.read(bytes);
      ranges.add(from, at);
    }
    return ranges.build();
  }

  private Body bits(int room) {
    long last = done.to(done.count() - 1);
    long fits = committed + 8L * room;
    long end = Math.min(last, fits);
    ByteBuffer bytes = ByteBuffer.allocate((int) ((end - committed + 7) / 8));
    for (int i = 0; i < done.count() && done.from(i) < end; i++) {
      for (long offset = done.from(i); offset < Math.min(done.to(i), end); offset++) {
        int bit = (int) (offset - committed);
        bytes.put(bit / 8, (byte) (bytes.get(bit / 8) | 1 << bit % 8));
      }
    }
    return new Body(BITS, bytes, last <= fits ? Long.MAX_VALUE : end);
  }

  private static OffsetRanges readBits(long committed, ByteBuffer bytes) {
    OffsetRanges.Builder ranges = new OffsetRanges.Builder();
    int bits = 8 * bytes.remaining();
    int start = bytes.position();
    for (int bit = 0; bit < bits; bit++) {
      if ((bytes.get(start + bit / 8) & 1 << bit % 8) != 0) {
        ranges.add(committed + bit, committed + bit + 1);
      }
    }
    return ranges.build();
  }

  private static int checksum(TopicPartition partition, long committed, byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(partition.topic().getBytes(StandardCharsets.UTF_8));
    crc.update(ByteBuffer.allocate(12).putInt(partition.partition()).putLong(committed).flip());
    crc.update(content);
    return (int) crc.getValue();
  }
}
