package dev.millrace.testkit.probe;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * One group's commits, gathered from the batches of its partition of {@code __consumer_offsets}.
 *
 * <p>Batches and not consumer records, because only they tell a transactional commit from another
 * one: behind an open transaction of any group, a plain commit counts though no {@code
 * read_committed} consumer is shown it.
 *
 * <p>Not thread-safe.
 */
final class CommitLog {
  private final String group;
  private final List<Commit> settled = new ArrayList<>();

  /** Commits of open transactions, by producer. */
  private final Map<Long, List<Commit>> open = new HashMap<>();

  CommitLog(String group) {
    this.group = group;
  }

  void add(RecordBatch batch) {
    for (Record record : batch) {
      if (batch.isControlBatch()) {
        end(batch.producerId(), ControlRecordType.parse(record.key()), record);
      } else {
        add(batch, record);
      }
    }
  }

  /** Returns the commits by the place where they were logged. */
  List<Commit> commits() {
    List<Commit> all = new ArrayList<>(settled);
    open.values().forEach(all::addAll);
    all.sort(Comparator.comparingLong(Commit::place));
    return List.copyOf(all);
  }

  private void add(RecordBatch batch, Record record) {
    CommitCodec.Key key = CommitCodec.key(record.key());
    if (key == null || !key.group().equals(group)) {
      return;
    }
    ByteBuffer bytes = record.value();
    boolean tombstone = bytes == null;
    CommitCodec.Value value =
        tombstone
            ? new CommitCodec.Value(-1, -1, "", record.timestamp())
            : CommitCodec.value(bytes);
    Commit commit =
        new Commit(
            key.partition(),
            value.offset(),
            value.leaderEpoch(),
            value.metadata(),
            value.timestamp(),
            record.offset(),
            batch.isTransactional() ? Commit.State.PENDING : Commit.State.COMMITTED,
            batch.isTransactional() ? -1 : record.offset(),
            batch.isTransactional() ? -1 : value.timestamp(),
            batch.isTransactional() ? batch.producerId() : -1,
            tombstone);
    if (batch.isTransactional()) {
      open.computeIfAbsent(batch.producerId(), id -> new ArrayList<>()).add(commit);
    } else {
      settled.add(commit);
    }
  }

  private void end(long producerId, ControlRecordType marker, Record logged) {
    List<Commit> ended = open.remove(producerId);
    if (ended == null) {
      return;
    }
    boolean committed = marker == ControlRecordType.COMMIT;
    for (Commit c : ended) {
      settled.add(
          new Commit(
              c.partition(),
              c.offset(),
              c.leaderEpoch(),
              c.metadata(),
              c.timestamp(),
              c.place(),
              committed ? Commit.State.COMMITTED : Commit.State.ABORTED,
              committed ? logged.offset() : -1,
              committed ? logged.timestamp() : -1,
              c.producerId(),
              c.tombstone()));
    }
  }
}
