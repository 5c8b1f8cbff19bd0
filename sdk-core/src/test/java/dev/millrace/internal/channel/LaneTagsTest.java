package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.KeylessRecords;
import dev.millrace.config.Ordering;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LaneTagsTest {
  private static final long SEED = LaneTags.seed("orders", 3);

  @Test
  void underKeyTheSameKeyHasTheSameTagAndOthersDiffer() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      assertThat(seen.add(tags.of(SEED, record("customer-" + i)))).isTrue();
    }
    assertThat(tags.of(SEED, record("customer-7"))).isEqualTo(tags.of(SEED, record("customer-7")));
  }

  @Test
  void keysThatDifferInOneByteAnywhereDiffer() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);
    Random random = new Random(1);
    for (int length = 1; length <= 40; length++) {
      byte[] key = new byte[length];
      random.nextBytes(key);
      long tag = tags.of(SEED, record(key));
      for (int at = 0; at < length; at++) {
        byte[] other = key.clone();
        other[at] ^= 1;
        assertThat(tags.of(SEED, record(other)))
            .as("length %d, byte %d", length, at)
            .isNotEqualTo(tag);
      }
    }
  }

  @Test
  void zeroBytesAtTheEndCount() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);
    Set<Long> seen = new HashSet<>();
    for (int length = 0; length < 40; length++) {
      assertThat(seen.add(tags.of(SEED, record(new byte[length])))).isTrue();
    }
  }

  @Test
  void theSameKeyInAnotherPartitionOrTopicHasAnotherTag() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);
    long tag = tags.of(SEED, record("k"));

    assertThat(tags.of(LaneTags.seed("orders", 4), record("k"))).isNotEqualTo(tag);
    assertThat(tags.of(LaneTags.seed("refunds", 3), record("k"))).isNotEqualTo(tag);
  }

  @Test
  void aRecordWithoutAKeyIsSpread() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.SPREAD);

    assertThat(tags.of(SEED, record((byte[]) null)))
        .isNotEqualTo(tags.of(SEED, record((byte[]) null)));
  }

  @Test
  void inOneLaneAPartitionsRecordsWithoutAKeyShareATagThatNoKeyHas() {
    LaneTags tags = new LaneTags(Ordering.KEY, ConsumerRecord::key, KeylessRecords.LANE);
    long tag = tags.of(SEED, record((byte[]) null));

    assertThat(tags.of(SEED, record((byte[]) null))).isEqualTo(tag);
    assertThat(tags.of(LaneTags.seed("orders", 4), record((byte[]) null))).isNotEqualTo(tag);
    assertThat(tags.of(SEED, record(new byte[0]))).isNotEqualTo(tag);
    assertThat(tags.of(SEED, record("k"))).isNotEqualTo(tag);
  }

  @Test
  void underPartitionAllShareOneTagAndUnorderedNoneDo() {
    LaneTags partition =
        new LaneTags(Ordering.PARTITION, ConsumerRecord::key, KeylessRecords.SPREAD);
    assertThat(partition.of(SEED, record("a"))).isEqualTo(partition.of(SEED, record("b")));

    LaneTags unordered =
        new LaneTags(Ordering.UNORDERED, ConsumerRecord::key, KeylessRecords.SPREAD);
    assertThat(unordered.of(SEED, record("a"))).isNotEqualTo(unordered.of(SEED, record("a")));
  }

  private static ConsumerRecord<byte[], byte[]> record(String key) {
    return record(key.getBytes(StandardCharsets.UTF_8));
  }

  private static ConsumerRecord<byte[], byte[]> record(byte @Nullable [] key) {
    return new ConsumerRecord<>("orders", 3, 0, key, null);
  }
}
