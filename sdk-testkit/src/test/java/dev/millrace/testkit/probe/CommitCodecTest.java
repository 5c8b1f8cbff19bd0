package dev.millrace.testkit.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.TestKitException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.junit.jupiter.api.Test;

/** What is read here is what the coordinator's own classes write. */
class CommitCodecTest {
  @Test
  void readsEveryVersionThatTheCoordinatorWrites() {
    // A coordinator with a newer version: read it too.
    assertThat(CommitCodec.LAST_KNOWN_VALUE).isEqualTo(OffsetCommitValue.HIGHEST_SUPPORTED_VERSION);
    OffsetCommitValue value =
        new OffsetCommitValue()
            .setOffset(Long.MAX_VALUE - 1)
            .setLeaderEpoch(7)
            .setMetadata("état")
            .setCommitTimestamp(1_700_000_000_123L)
            .setTopicId(Uuid.randomUuid());
    for (short version = 0; version <= OffsetCommitValue.HIGHEST_SUPPORTED_VERSION; version++) {
      assertThat(CommitCodec.value(bytes(version, value)))
          .as("version %d", version)
          .isEqualTo(
              new CommitCodec.Value(
                  Long.MAX_VALUE - 1, version < 3 ? -1 : 7, "état", 1_700_000_000_123L));
    }
  }

  @Test
  void tellsCommitsFromEverythingElse() {
    OffsetCommitKey key =
        new OffsetCommitKey().setGroup("gruppe-ü").setTopic("orders").setPartition(12);
    for (CoordinatorRecordType type : CoordinatorRecordType.values()) {
      boolean commit =
          type == CoordinatorRecordType.OFFSET_COMMIT
              || type == CoordinatorRecordType.LEGACY_OFFSET_COMMIT;
      ByteBuffer bytes =
          MessageUtil.toVersionPrefixedByteBuffer(type.id(), commit ? key : type.newRecordKey());
      if (commit) {
        assertThat(CommitCodec.key(bytes))
            .isEqualTo(new CommitCodec.Key("gruppe-ü", new TopicPartition("orders", 12)));
      } else {
        assertThat(CommitCodec.key(bytes)).as("%s", type).isNull();
      }
    }
  }

  @Test
  void refusesWhatANewerBrokerWrote() {
    ByteBuffer newer = ByteBuffer.allocate(64).putShort((short) 5).rewind();

    assertThatThrownBy(() -> CommitCodec.value(newer))
        .isInstanceOf(TestKitException.class)
        .hasMessage("Cannot read a commit of version 5; known are 0 to 4: use a newer test kit");
  }

  private static ByteBuffer bytes(short version, ApiMessage message) {
    return MessageUtil.toVersionPrefixedByteBuffer(version, message);
  }
}
