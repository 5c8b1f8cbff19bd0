package dev.millrace.internal.deadletter;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.errors.MillraceException;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A group's open dead letters, read once from the first to those that were there at the beginning.
 * Confined to the thread that made it.
 *
 * <p>What has been redriven is noted as a consumer notes what it has done: an offset, and what is
 * done beyond it in the commit's metadata. Records that are no dead letters of the group count as
 * done, so none of them holds the offset back.
 */
final class DeadLetterLog {
  private static final int UNKNOWN_EPOCH = -1;
  private static final Duration POLL = Duration.ofMillis(200);

  private final Scope scope;
  private final Consumer<byte[], byte[]> client;
  private final Patience patience;
  private final Map<TopicPartition, Part> parts = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> noted = new HashMap<>();
  private final ArrayDeque<ConsumerRecord<byte[], byte[]>> polled = new ArrayDeque<>();

  /**
   * A dead letter that has not been redriven.
   *
   * @param ticket completed when that has been decided
   */
  record Open(DeadLetter letter, OffsetTicket ticket) {
    /** Notes that it is about to be redriven. */
    void done() {
      if (!ticket.start() || !ticket.complete()) {
        throw new IllegalStateException(letter.partition() + "@" + letter.offset() + " is done.");
      }
    }
  }

  /** One partition: what is done in it, and the first offset that is not read. */
  private record Part(OffsetTracker tracker, long end) {}

  /**
   * Finds out where to begin and where to end.
   *
   * @param client of the group that has the notes; stays the caller's to close
   * @param partitions of dead-letter topics
   */
  DeadLetterLog(
      Scope scope, Consumer<byte[], byte[]> client, Collection<TopicPartition> partitions) {
    this.scope = scope;
    this.client = client;
    this.patience = new Patience(scope);
    Set<TopicPartition> all = Set.copyOf(partitions);
    client.assign(all); // It warns of offsets that it learns of others.
    Map<TopicPartition, OffsetAndMetadata> notes = client.committed(all);
    Map<TopicPartition, Long> begins = client.beginningOffsets(all);
    Map<TopicPartition, Long> ends = client.endOffsets(all);
    Map<TopicPartition, Long> from = new HashMap<>();
    for (TopicPartition name : all) {
      OffsetAndMetadata note = notes.get(name);
      long begin = Objects.requireNonNull(begins.get(name));
      long end = Objects.requireNonNull(ends.get(name));
      if (note != null && note.offset() <= end) {
        noted.put(name, note);
      }
      long start = note == null || note.offset() > end ? begin : Math.max(begin, note.offset());
      if (start < end) {
        from.put(name, start);
        parts.put(name, new Part(tracker(name, note), end));
      }
    }
    client.assign(from.keySet());
    from.forEach(client::seek);
  }

  private static OffsetTracker tracker(TopicPartition name, @Nullable OffsetAndMetadata note) {
    if (note == null) {
      return new OffsetTracker(name, CompletedAhead.NONE);
    }
    CompletedAhead done =
        CompletedAhead.read(name, note)
            .orElseThrow(
                () ->
                    new MillraceException(
                        "What is noted of redriven dead letters with offset %d of %s can't be trusted; reset that offset."
                            .formatted(note.offset(), name),
                        null));
    OffsetTracker tracker = new OffsetTracker(name, done);
    tracker.startsAt(note);
    return tracker;
  }

  /** Whether all has been read. */
  boolean isOver() {
    return polled.isEmpty() && parts.entrySet().stream().allMatch(part -> isRead(part));
  }

  private boolean isRead(Map.Entry<TopicPartition, Part> part) {
    return client.position(part.getKey()) >= part.getValue().end();
  }

  /**
   * Returns the next open dead letter; empty at the end.
   *
   * @throws MillraceException when the brokers are silent
   */
  Optional<Open> next() {
    while (!isOver()) {
      ConsumerRecord<byte[], byte[]> record = polled.poll();
      if (record == null) {
        client.poll(POLL).forEach(polled::add);
        patience.polled(!polled.isEmpty());
      } else {
        Open open = look(record);
        if (open != null) {
          return Optional.of(open);
        }
      }
    }
    return Optional.empty();
  }

  private @Nullable Open look(ConsumerRecord<byte[], byte[]> record) {
    TopicPartition name = new TopicPartition(record.topic(), record.partition());
    Part part = Objects.requireNonNull(parts.get(name));
    if (record.offset() >= part.end()) {
      return null;
    }
    OffsetTicket ticket =
        part.tracker().issue(record.offset(), record.leaderEpoch().orElse(UNKNOWN_EPOCH));
    part.tracker().position(new OffsetAndMetadata(record.offset() + 1));
    if (ticket == null) {
      return null;
    }
    Optional<DeadLetter> ours =
        DeadLetter.of(record).filter(letter -> letter.group().equals(scope.group()));
    if (ours.isEmpty() && ticket.start()) {
      ticket.complete();
    }
    return ours.map(letter -> new Open(letter, ticket)).orElse(null);
  }

  /**
   * Returns what is to be noted of what is done, in all partitions: the brokers forget each offset
   * {@code offsets.retention.minutes} after it was committed last, whatever becomes of others.
   *
   * @throws MillraceException when a commit has no room for it
   */
  Map<TopicPartition, OffsetAndMetadata> notes() {
    Map<TopicPartition, OffsetAndMetadata> notes = new HashMap<>(noted);
    parts.forEach(
        (name, part) -> {
          OffsetAndMetadata note = part.tracker().committable(CompletedAhead.MAX_CHARS);
          if (part.tracker().unsaved() > 0) {
            throw noRoom(name, part.tracker());
          }
          if (note != null) {
            notes.put(name, note);
          }
        });
    return notes;
  }

  private MillraceException noRoom(TopicPartition name, OffsetTracker tracker) {
    return new MillraceException(
        "%s: too many dead letters of %s have been redriven beyond %d, which has not, to note them all. Redrive the older ones too, or have them deleted by deleteBefore."
            .formatted(scope.owner(), name, tracker.oldestOpen()),
        null);
  }

  /** The brokers have the notes. */
  void noted(Map<TopicPartition, OffsetAndMetadata> notes) {
    noted.putAll(notes);
    parts.forEach(
        (name, part) -> {
          OffsetAndMetadata note = notes.get(name);
          if (note != null) {
            part.tracker().committed(note);
          }
        });
  }

  /** Returns everything that is left. */
  List<DeadLetter> rest(Predicate<DeadLetter> wanted, int most) {
    List<DeadLetter> rest = new ArrayList<>();
    while (rest.size() < most) {
      Optional<Open> open = next();
      if (open.isEmpty()) {
        return rest;
      }
      if (wanted.test(open.get().letter())) {
        rest.add(open.get().letter());
      }
    }
    return rest;
  }
}
