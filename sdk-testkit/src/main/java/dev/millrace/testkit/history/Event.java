package dev.millrace.testkit.history;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One thing that happened in one process.
 *
 * @param kind what it tells
 * @param process the id of the process
 * @param name the writer's name; one process may have several writers
 * @param thread the name of the thread it happened on
 * @param nanos {@link System#nanoTime()}. On Linux that is the time since the boot, the same in all
 *     processes, so the events of all processes on one machine have one order
 * @param micros the wall clock, in microseconds since 1970; for comparing with a broker's times
 * @param record the record, for sends and handlings; null otherwise
 * @param offsets the partitions, for assignments, commits and seeks; with the offset, or -1 where
 *     there is none to tell; empty otherwise
 * @param text the name of a fault or of a kill point, a note, a cause; empty when there is none
 */
public record Event(
    Kind kind,
    long process,
    String name,
    String thread,
    long nanos,
    long micros,
    @Nullable RecordAt record,
    Map<TopicPartition, Long> offsets,
    String text) {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS").withZone(ZoneOffset.UTC);

  /** Copies the offsets, keeping their order. */
  public Event {
    offsets = Collections.unmodifiableMap(new LinkedHashMap<>(offsets));
  }

  /** Returns whether it is of this kind and, when it names partitions, names this one. */
  public boolean concerns(Kind kind, TopicPartition partition) {
    return this.kind == kind && offsets.containsKey(partition);
  }

  /** Returns one line for people: time (UTC), writer, thread, and what happened. */
  @Override
  public String toString() {
    StringBuilder line = new StringBuilder();
    line.append(TIME.format(Instant.EPOCH.plus(micros, ChronoUnit.MICROS)));
    line.append(' ').append(name).append(" (process ").append(process).append(") [");
    line.append(thread).append("] ").append(kind);
    if (record != null) {
      line.append(' ').append(record.partition()).append('@').append(record.offset());
      line.append(" key ").append(record.key());
      if (record.valueId() != null) {
        line.append(" value #").append(record.valueId());
      }
      if (record.attempt() > 1) {
        line.append(" attempt ").append(record.attempt());
      }
      if (record.outcome() != null) {
        line.append(' ').append(record.outcome());
      }
    }
    if (!offsets.isEmpty()) {
      line.append(' ').append(list());
    }
    return text.isEmpty() ? line.toString() : line.append(": ").append(text).toString();
  }

  private String list() {
    return offsets.entrySet().stream()
        .map(e -> e.getValue() < 0 ? e.getKey().toString() : e.getKey() + "@" + e.getValue())
        .collect(Collectors.joining(", "));
  }
}
