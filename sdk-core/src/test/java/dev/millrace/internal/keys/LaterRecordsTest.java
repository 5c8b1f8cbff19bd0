package dev.millrace.internal.keys;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Keys are bytes, and so are their tags. */
class LaterRecordsTest {
  private static final TopicPartition RETRY = new TopicPartition("orders.group.retry.2", 0);

  private final FakeRetryLogs logs = new FakeRetryLogs();
  private final List<Long> read = new ArrayList<>();
  private final LaterRecords later = new LaterRecords(RETRY, 3);

  @Test
  void eachRecordIsReadOnceAndItsKeyForgottenWhenItsLastOneHasEnded() {
    write(0, 7);
    write(1, 8);
    read(0, 2);
    write(2, 7);
    read(1, 3);

    assertThat(read).containsExactly(0L, 1L, 2L);
    assertThat(later.contains(7)).isTrue();
    assertThat(later.contains(8)).isTrue();
    read(2, 3);
    assertThat(later.contains(8)).isFalse();
    assertThat(later.lastOffsets()).containsOnlyKeys(7L);
    read(3, 3);
    assertThat(later.lastOffsets()).isEmpty();
    assertThat(read).hasSize(3);
  }

  @Test
  void aLogThatWasMadeAnewIsReadFromItsBeginning() {
    write(0, 7);
    write(1, 7);
    write(2, 7);
    read(0, 3);
    logs.records.clear();
    write(0, 8);
    read(0, 1);

    assertThat(later.lastOffsets()).containsOnlyKeys(8L);
    assertThat(later.isComplete()).isTrue();
  }

  @Test
  void withMoreKeysThanItRemembersItMayHoldAnyKey() {
    for (int key = 0; key < 5; key++) {
      write(key, key);
    }
    read(0, 5);

    assertThat(later.isComplete()).isFalse();
    assertThat(later.contains(4)).isTrue();
    assertThat(later.contains(9)).isTrue();
    read(3, 5);
    assertThat(later.isComplete()).isTrue();
    assertThat(later.contains(4)).isTrue();
    assertThat(later.contains(9)).isFalse();
  }

  private void write(long offset, int key) {
    logs.records.add(
        new ConsumerRecord<>(RETRY.topic(), 0, offset, new byte[] {(byte) key}, new byte[0]));
  }

  private void read(long committed, long end) {
    later.read(
        committed,
        end,
        logs,
        record -> {
          read.add(record.offset());
          return (long) record.key()[0];
        });
  }
}
