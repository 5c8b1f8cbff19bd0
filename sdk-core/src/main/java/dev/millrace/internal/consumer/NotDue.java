package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.RecordBytes;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What was polled of one partition of a retry topic and is not due yet, in offset order. Confined
 * to the poll thread.
 */
final class NotDue {
  private record Held(ConsumerRecord<byte[], byte[]> record, long dueNanos, Instant since) {}

  private final Deque<Held> held = new ArrayDeque<>();
  private long bytes;
  private @Nullable OffsetAndMetadata next;

  /**
   * Takes a record.
   *
   * @param dueNanos when it is due
   * @param since now
   */
  void hold(ConsumerRecord<byte[], byte[]> record, long dueNanos, Instant since) {
    held.add(new Held(record, dueNanos, since));
    bytes += RecordBytes.of(record);
  }

  /** Notes where the client goes on after what is held. */
  void next(OffsetAndMetadata position) {
    next = position;
  }

  /** Returns where the client goes on after what is held, as far as that is known. */
  OptionalLong next() {
    return next == null ? OptionalLong.empty() : OptionalLong.of(next.offset());
  }

  boolean isEmpty() {
    return held.isEmpty();
  }

  int records() {
    return held.size();
  }

  long bytes() {
    return bytes;
  }

  /** Returns when the first is due; there must be one. */
  long dueNanos() {
    return held.element().dueNanos();
  }

  /** Returns where the first stands; there must be one. */
  long offset() {
    return held.element().record().offset();
  }

  /** Returns since when the first has waited, if there is one. */
  Optional<Instant> since() {
    return Optional.ofNullable(held.peek()).map(Held::since);
  }

  /** Returns how far the client has read beyond the first, in offsets; 0 when there is none. */
  long ahead() {
    return next == null || held.isEmpty() ? 0 : next.offset() - offset();
  }

  /** Returns whether what has just been polled lies before what was polled before. */
  boolean isBehind(long offset) {
    return next != null && !held.isEmpty() && offset < next.offset();
  }

  /**
   * Takes out what is due, up to the first that is not.
   *
   * @param most how many at most
   */
  List<ConsumerRecord<byte[], byte[]>> takeDue(long now, int most) {
    List<ConsumerRecord<byte[], byte[]>> due = new ArrayList<>();
    while (due.size() < most && !held.isEmpty() && dueNanos() - now <= 0) {
      ConsumerRecord<byte[], byte[]> record = held.remove().record();
      bytes -= RecordBytes.of(record);
      due.add(record);
    }
    return due;
  }

  /** Takes out a record that is not to be handed over; null when it is not here. */
  @Nullable ConsumerRecord<byte[], byte[]> drop(long offset) {
    for (Iterator<Held> each = held.iterator(); each.hasNext(); ) {
      ConsumerRecord<byte[], byte[]> record = each.next().record();
      if (record.offset() == offset) {
        each.remove();
        bytes -= RecordBytes.of(record);
        return record;
      }
    }
    return null;
  }

  /**
   * Returns the first offset that has not been handed over.
   *
   * @param last the last record that was taken out
   */
  OffsetAndMetadata position(ConsumerRecord<byte[], byte[]> last) {
    return held.isEmpty() && next != null
        ? next
        : new OffsetAndMetadata(offset(), last.leaderEpoch(), "");
  }
}
