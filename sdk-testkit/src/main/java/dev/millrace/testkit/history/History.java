package dev.millrace.testkit.history;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Writes down what a consumer or producer under test does, one JSON line each, so that it can be
 * checked later, also when the process is killed.
 *
 * <pre>{@code
 * try (History history = History.write(path, "consumer-1")) {
 *   consumer.subscribe(topics, history.recording());
 *   ...
 *   history.started(record);
 *   handle(record);
 *   history.ended(record, Outcome.HANDLED);
 *   consumer.commitSync(offsets);
 *   history.committed(offsets);
 * }
 * }</pre>
 *
 * <p>When to call: {@link #started} before the first effect of a handler, {@link #ended} after its
 * last, and before the offset can be committed; otherwise a correct consumer looks like a wrong
 * one. An event has the time of its call. When a call returned, its line outlives the process (not
 * the machine: nothing is forced to the disk).
 *
 * <p>Each writer of a run has a file and a name of its own. The same name again, in this process or
 * another, is the next incarnation, and may append to the same file.
 *
 * <p>Thread-safe, and an interrupt does no harm. Every method throws {@link TestKitException} when
 * the file cannot be written, since a history with gaps proves nothing.
 */
public final class History implements AutoCloseable {
  private static final long PROCESS = ProcessHandle.current().pid();
  private static final long UNKNOWN = -1;

  private final String name;
  private final HistoryFile file;
  private boolean closed;

  private History(String name, HistoryFile file) {
    this.name = name;
    this.file = file;
  }

  /**
   * Opens a history, appending to what is in the file, and writes {@link Kind#PROCESS_STARTED}.
   *
   * @param name the writer's name, such as {@code consumer-1}
   * @throws TestKitException if the file cannot be written
   */
  public static History write(Path path, String name) {
    History history = new History(name, new HistoryFile(path));
    history.append(Kind.PROCESS_STARTED, "");
    return history;
  }

  /**
   * Returns the events of the files in the order of their monotonic times; of the same time, in the
   * order of the files. A torn line shows as {@link Kind#TORN}.
   *
   * @throws TestKitException if a file cannot be read or holds something else
   */
  public static List<Event> read(Path... files) {
    List<Event> events = new ArrayList<>();
    for (Path file : files) {
      events.addAll(HistoryFile.read(file));
    }
    events.sort(Comparator.comparingLong(Event::nanos));
    return List.copyOf(events);
  }

  /**
   * Returns the events of all files {@code *.jsonl} in a directory, as {@link #read} does.
   *
   * @throws TestKitException if a file cannot be read or holds something else
   */
  public static List<Event> readAll(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return read(files.filter(f -> f.toString().endsWith(".jsonl")).sorted().toArray(Path[]::new));
    } catch (IOException e) {
      throw new TestKitException("Cannot list the histories in " + directory, e);
    }
  }

  /** A handler is about to be called for the first time in this delivery. */
  public void started(ConsumerRecord<?, ?> record) {
    started(record, 1);
  }

  /** As {@link #started(ConsumerRecord)}, for handlers that are not given Kafka's own record. */
  public void started(TopicPartition partition, long offset, @Nullable Object key) {
    append(Kind.STARTED, at(partition, offset, key, 1, null));
  }

  /** As {@link #started(ConsumerRecord, int)}, for handlers without Kafka's own record. */
  public void started(TopicPartition partition, long offset, @Nullable Object key, int attempt) {
    append(Kind.STARTED, at(partition, offset, key, attempt, null));
  }

  /**
   * A handler is about to be called.
   *
   * @param attempt which call within one delivery, from 1
   */
  public void started(ConsumerRecord<?, ?> record, int attempt) {
    append(Kind.STARTED, at(record, attempt, null));
  }

  /** As {@link #ended(ConsumerRecord, Outcome)}, for handlers without Kafka's own record. */
  public void ended(TopicPartition partition, long offset, @Nullable Object key, Outcome outcome) {
    append(Kind.ENDED, at(partition, offset, key, 1, outcome));
  }

  /** As {@link #ended(ConsumerRecord, int, Outcome)}, for handlers without Kafka's own record. */
  public void ended(
      TopicPartition partition, long offset, @Nullable Object key, int attempt, Outcome outcome) {
    append(Kind.ENDED, at(partition, offset, key, attempt, outcome));
  }

  /** The first attempt came to this end. */
  public void ended(ConsumerRecord<?, ?> record, Outcome outcome) {
    ended(record, 1, outcome);
  }

  /** This attempt came to this end. */
  public void ended(ConsumerRecord<?, ?> record, int attempt, Outcome outcome) {
    append(Kind.ENDED, at(record, attempt, outcome));
  }

  /** The broker acknowledged a send. */
  public void acked(ProducerRecord<?, ?> sent, RecordMetadata answer) {
    append(
        Kind.ACKED,
        send(sent, new TopicPartition(answer.topic(), answer.partition()), answer.offset()),
        "");
  }

  /** A send failed or got no answer. */
  public void sendUnknown(ProducerRecord<?, ?> sent, Throwable cause) {
    int partition = sent.partition() == null ? (int) UNKNOWN : sent.partition();
    append(
        Kind.SEND_UNKNOWN,
        send(sent, new TopicPartition(sent.topic(), partition), UNKNOWN),
        cause.toString());
  }

  /** Partitions came; to be called before anything of them is handled. */
  public void assigned(Collection<TopicPartition> partitions) {
    append(Kind.ASSIGNED, withoutOffsets(partitions));
  }

  /** Partitions are given up; to be called when they are finished and committed, not before. */
  public void revoked(Collection<TopicPartition> partitions) {
    append(Kind.REVOKED, withoutOffsets(partitions));
  }

  /** Partitions were taken away. */
  public void lost(Collection<TopicPartition> partitions) {
    append(Kind.LOST, withoutOffsets(partitions));
  }

  /** The client saw a commit acknowledged. */
  public void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
    Map<TopicPartition, Long> plain = new LinkedHashMap<>();
    offsets.forEach((partition, offset) -> plain.put(partition, offset.offset()));
    append(Kind.COMMITTED, plain);
  }

  /** The position was moved on purpose, or a reset of the group was seen. */
  public void seek(TopicPartition partition, long offset) {
    append(Kind.SEEK, Map.of(partition, offset));
  }

  /** A fault began. */
  public void faultBegan(String fault) {
    append(Kind.FAULT_BEGAN, fault);
  }

  /** A fault is over. */
  public void faultHealed(String fault) {
    append(Kind.FAULT_HEALED, fault);
  }

  /** The process came to a place where it may be killed. */
  public void killPoint(String place) {
    append(Kind.KILL_POINT, place);
  }

  /** Anything else worth reading later. */
  public void note(String text) {
    append(Kind.NOTE, text);
  }

  /** Returns a listener that writes down what comes and goes. */
  public ConsumerRebalanceListener recording() {
    return recording(new NothingElse());
  }

  /**
   * Returns a listener that writes down what comes and goes, and calls {@code listener}. While the
   * listener finishes and commits what is being revoked, the partitions still count as owned.
   */
  public ConsumerRebalanceListener recording(ConsumerRebalanceListener listener) {
    return new RecordingListener(this, listener);
  }

  /** Writes {@link Kind#PROCESS_ENDED} and closes the file. A second call does nothing. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      append(Kind.PROCESS_ENDED, "");
    } finally {
      file.close();
    }
  }

  private void append(Kind kind, String text) {
    append(kind, null, Map.of(), text);
  }

  private void append(Kind kind, Map<TopicPartition, Long> offsets) {
    append(kind, null, offsets, "");
  }

  private void append(Kind kind, RecordAt record) {
    append(kind, record, "");
  }

  private void append(Kind kind, RecordAt record, String text) {
    append(kind, record, Map.of(), text);
  }

  private void append(
      Kind kind, @Nullable RecordAt record, Map<TopicPartition, Long> offsets, String text) {
    long nanos = System.nanoTime();
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    String thread = Thread.currentThread().getName();
    file.append(
        EventJson.line(
            new Event(kind, PROCESS, name, thread, nanos, micros, record, offsets, text)));
  }

  private static RecordAt at(ConsumerRecord<?, ?> record, int attempt, @Nullable Outcome outcome) {
    return at(
        new TopicPartition(record.topic(), record.partition()),
        record.offset(),
        record.key(),
        attempt,
        outcome);
  }

  private static RecordAt at(
      TopicPartition partition,
      long offset,
      @Nullable Object key,
      int attempt,
      @Nullable Outcome outcome) {
    return new RecordAt(partition, offset, RecordText.key(key), null, attempt, outcome);
  }

  private static RecordAt send(ProducerRecord<?, ?> sent, TopicPartition partition, long offset) {
    return new RecordAt(
        partition, offset, RecordText.key(sent.key()), RecordText.valueId(sent.value()), 0, null);
  }

  private static Map<TopicPartition, Long> withoutOffsets(Collection<TopicPartition> partitions) {
    Map<TopicPartition, Long> offsets = new LinkedHashMap<>();
    partitions.forEach(partition -> offsets.put(partition, UNKNOWN));
    return offsets;
  }
}
