package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Reads the records of {@code __consumer_offsets} that are commits. Pure functions.
 *
 * <p>The format is the coordinator's ({@code OffsetCommitKey.json}, {@code
 * OffsetCommitValue.json}); its classes are the broker's at run time only, so a test compares what
 * is read here with them.
 */
final class CommitCodec {
  /** Keys of version 0 and 1 are commits; those above are members and metadata of groups. */
  private static final short LAST_COMMIT_KEY = 1;

  private static final short FIRST_WITH_EPOCH = 3;
  private static final short FIRST_COMPACT = 4;
  static final short LAST_KNOWN_VALUE = 4;

  private CommitCodec() {}

  /** Whose commit, of what. */
  record Key(String group, TopicPartition partition) {}

  /** What was committed; the fields as in {@link Commit}. */
  record Value(long offset, int leaderEpoch, String metadata, long timestamp) {}

  /** Returns the key of a commit; null when the record is something else. */
  static @Nullable Key key(ByteBuffer bytes) {
    ByteBufferAccessor in = new ByteBufferAccessor(bytes.duplicate());
    if (in.readShort() > LAST_COMMIT_KEY) {
      return null;
    }
    String group = in.readString(in.readShort());
    String topic = in.readString(in.readShort());
    return new Key(group, new TopicPartition(topic, in.readInt()));
  }

  /**
   * Returns the value of a commit.
   *
   * @throws TestKitException if a newer broker wrote it
   */
  static Value value(ByteBuffer bytes) {
    ByteBufferAccessor in = new ByteBufferAccessor(bytes.duplicate());
    short version = in.readShort();
    if (version > LAST_KNOWN_VALUE) {
      throw new TestKitException(
          "Cannot read a commit of version %d; known are 0 to %d: use a newer test kit"
              .formatted(version, LAST_KNOWN_VALUE),
          null);
    }
    long offset = in.readLong();
    int leaderEpoch = version >= FIRST_WITH_EPOCH ? in.readInt() : -1;
    int length = version >= FIRST_COMPACT ? in.readUnsignedVarint() - 1 : in.readShort();
    return new Value(offset, leaderEpoch, in.readString(length), in.readLong());
  }
}
