package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.history.RecordAt;
import dev.millrace.testkit.history.RecordText;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** A run made up for a test; each thing told happens a millisecond after the one before. */
final class Story {
  static final String TOPIC = "orders";

  /** 12:00 on a day long past, in ms. */
  private static final long NOON = 1_700_049_600_000L;

  final List<Event> events = new ArrayList<>();
  final List<Commit> commits = new ArrayList<>();
  final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
  final Map<TopicPartition, Offsets> ends = new LinkedHashMap<>();
  private final Map<Long, String> keys = new TreeMap<>();
  private final Map<String, Long> processes = new LinkedHashMap<>();
  private long clock;

  static TopicPartition partition(int number) {
    return new TopicPartition(TOPIC, number);
  }

  /** The time of what was told last, in ms since 1970. */
  long now() {
    return NOON + clock;
  }

  Story pass(long millis) {
    clock += millis;
    return this;
  }

  /** Records of a partition with these keys from offset 0, sent and acknowledged. */
  Story topic(int partition, String... keysInOrder) {
    for (int offset = 0; offset < keysInOrder.length; offset++) {
      sent(partition, offset, keysInOrder[offset]);
    }
    return this;
  }

  Story sent(int partition, long offset, String key) {
    String value = key + "/" + offset;
    keys.put(number(partition, offset), key);
    tell(Kind.ACKED, "producer", at(partition, offset, RecordText.valueId(value), 0, null));
    records.add(record(TOPIC, partition, offset, key, value, now()));
    ends.put(partition(partition), new Offsets(0, offset + 1, offset + 1));
    return this;
  }

  /** As when the broker knows the batch, but not where it is. */
  static Event withoutOffset(Event acked) {
    RecordAt sent = acked.record();
    return new Event(
        acked.kind(),
        acked.process(),
        acked.name(),
        acked.thread(),
        acked.nanos(),
        acked.micros(),
        new RecordAt(sent.partition(), -1, sent.key(), sent.valueId(), 0, null),
        Map.of(),
        "");
  }

  static ConsumerRecord<byte[], byte[]> record(
      String topic, int partition, long offset, String key, String value, long timestamp) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return new ConsumerRecord<>(
        topic,
        partition,
        offset,
        timestamp,
        TimestampType.CREATE_TIME,
        key.length(),
        bytes.length,
        key.getBytes(StandardCharsets.UTF_8),
        bytes,
        new RecordHeaders(),
        Optional.empty());
  }

  Story begins(String name, int... partitions) {
    processes.merge(name, 100L * (processes.size() + 1), (old, other) -> old + 1);
    tell(Kind.PROCESS_STARTED, name, (RecordAt) null);
    return partitions.length == 0 ? this : assigned(name, partitions);
  }

  Story ends(String name) {
    return tell(Kind.PROCESS_ENDED, name, (RecordAt) null);
  }

  Story assigned(String name, int... partitions) {
    return tell(Kind.ASSIGNED, name, map(partitions));
  }

  Story revoked(String name, int... partitions) {
    return tell(Kind.REVOKED, name, map(partitions));
  }

  Story lost(String name, int... partitions) {
    return tell(Kind.LOST, name, map(partitions));
  }

  Story starts(String name, int partition, long offset) {
    return starts(name, partition, offset, 1);
  }

  Story starts(String name, int partition, long offset, int attempt) {
    return tell(Kind.STARTED, name, at(partition, offset, null, attempt, null));
  }

  Story handled(String name, int partition, long offset) {
    return ended(name, partition, offset, 1, Outcome.HANDLED);
  }

  Story ended(String name, int partition, long offset, int attempt, Outcome outcome) {
    return tell(Kind.ENDED, name, at(partition, offset, null, attempt, outcome));
  }

  /** Starts and ends. */
  Story handles(String name, int partition, long... offsets) {
    for (long offset : offsets) {
      starts(name, partition, offset).handled(name, partition, offset);
    }
    return this;
  }

  /** The broker takes a commit, and the client sees it acknowledged. */
  Story commits(String name, int partition, long offset) {
    return logged(partition, offset).acknowledged(name, partition, offset);
  }

  Story logged(int partition, long offset) {
    clock++;
    commits.add(commit(partition, offset, now(), commits.size()));
    return this;
  }

  /** The broker takes a commit in a transaction of producer 7, which ends so much later. */
  Story inTransaction(int partition, long offset, Commit.State state, long millis) {
    clock++;
    boolean counts = state == Commit.State.COMMITTED;
    long place = commits.size();
    commits.add(
        new Commit(
            partition(partition),
            offset,
            -1,
            "",
            now(),
            place,
            state,
            counts ? place + 1 : -1,
            counts ? now() + millis : -1,
            7,
            false));
    return pass(millis);
  }

  static Commit commit(int partition, long offset, long timestamp, long place) {
    return new Commit(
        partition(partition),
        offset,
        -1,
        "",
        timestamp,
        place,
        Commit.State.COMMITTED,
        place,
        timestamp,
        -1,
        offset < 0);
  }

  Story acknowledged(String name, int partition, long offset) {
    return tell(Kind.COMMITTED, name, Map.of(partition(partition), offset));
  }

  Story seeks(String name, int partition, long offset) {
    return tell(Kind.SEEK, name, Map.of(partition(partition), offset));
  }

  Story fault(Kind kind) {
    tell(kind, "faults", (RecordAt) null);
    return this;
  }

  Evidence.Builder evidence() {
    return Evidence.builder()
        .history(events)
        .source(TOPIC, records)
        .offsets(ends)
        .commits(commits)
        .openTransactions(List.of());
  }

  private Story tell(Kind kind, String name, RecordAt record) {
    events.add(event(kind, name, record, Map.of()));
    return this;
  }

  private Story tell(Kind kind, String name, Map<TopicPartition, Long> offsets) {
    events.add(event(kind, name, null, offsets));
    return this;
  }

  private Event event(Kind kind, String name, RecordAt record, Map<TopicPartition, Long> offsets) {
    clock++;
    long process = processes.computeIfAbsent(name, n -> 100L * (processes.size() + 1));
    return new Event(
        kind, process, name, "main", clock * 1_000_000, now() * 1_000, record, offsets, "");
  }

  private RecordAt at(int partition, long offset, String valueId, int attempt, Outcome outcome) {
    String key = keys.get(number(partition, offset));
    return new RecordAt(partition(partition), offset, key, valueId, attempt, outcome);
  }

  private static long number(int partition, long offset) {
    return partition * 1_000_000L + offset;
  }

  private static Map<TopicPartition, Long> map(int... partitions) {
    Map<TopicPartition, Long> map = new LinkedHashMap<>();
    for (int partition : partitions) {
      map.put(partition(partition), -1L);
    }
    return map;
  }
}
