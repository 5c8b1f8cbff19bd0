package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a run of one consumer group: the histories of its processes and of those that
 * fed it, what its topics hold, its commits.
 *
 * <pre>{@code
 * Evidence evidence =
 *     Evidence.builder()
 *         .history(History.readAll(directory))
 *         .source("orders", TopicProbe.of(servers, "orders").readAll())
 *         .commits(GroupProbe.of(servers, "shop", "orders").commits())
 *         .build();
 * Guarantee.checkAll(evidence, Guarantee.noLoss(), Guarantee.orderPerKey()).assertHolds();
 * }</pre>
 *
 * <p>What is not given is missing, not empty: a guarantee that needs it is inconclusive then.
 *
 * <p>Immutable. All events must come from one machine since its last boot, since they are compared
 * by its monotonic clock; events and commits are compared by the wall clock, so the brokers' clocks
 * must agree with that machine's, see {@link Builder#clockTolerance}.
 */
public final class Evidence {
  private final List<Event> events;
  private final Timeline timeline;
  private final Map<String, List<LogRecord>> sources;
  private final Map<String, List<LogRecord>> sinks;
  private final boolean commitsKnown;
  private final List<Commit> effectiveCommits;
  private final List<Commit> pendingCommits;
  private final Map<TopicPartition, Long> starts;
  private final Map<TopicPartition, Offsets> offsets;
  private final @Nullable List<OpenTransaction> openTransactions;
  private final long clockToleranceMicros;

  private Evidence(Builder builder) {
    events = builder.events.stream().sorted(Comparator.comparingLong(Event::nanos)).toList();
    timeline = new Timeline(events);
    sources = new TreeMap<>(builder.sources);
    sinks = new TreeMap<>(builder.sinks);
    commitsKnown = builder.commits != null;
    effectiveCommits = builder.commits == null ? List.of() : effective(builder.commits);
    pendingCommits =
        builder.commits == null
            ? List.of()
            : builder.commits.stream().filter(c -> c.state() == Commit.State.PENDING).toList();
    starts = Map.copyOf(builder.starts);
    offsets = Map.copyOf(builder.offsets);
    openTransactions = builder.openTransactions;
    clockToleranceMicros = builder.clockTolerance.toNanos() / 1_000;
  }

  /** Returns a builder that knows nothing yet. */
  public static Builder builder() {
    return new Builder();
  }

  List<Event> events() {
    return events;
  }

  Timeline timeline() {
    return timeline;
  }

  long clockToleranceMicros() {
    return clockToleranceMicros;
  }

  Set<String> sourceTopics() {
    return sources.keySet();
  }

  /**
   * Returns the records of the source topics, by partition and offset.
   *
   * @throws Inconclusive if no source was given, or none holds a record
   */
  List<LogRecord> sourceRecords() {
    List<LogRecord> records = sources.values().stream().flatMap(List::stream).toList();
    if (records.isEmpty()) {
      throw new Inconclusive("a record of a source topic");
    }
    return records;
  }

  /** Returns the records of a topic, source or sink; null when they are not known. */
  @Nullable List<LogRecord> recordsOf(String topic) {
    List<LogRecord> source = sources.get(topic);
    return source == null ? sinks.get(topic) : source;
  }

  /**
   * Returns the commits that count, tombstones too, in the order in which they began to count.
   *
   * @throws Inconclusive if the commits are not known, or there are none
   */
  List<Commit> effectiveCommits() {
    if (!commitsKnown) {
      throw new Inconclusive("the group's commits");
    }
    if (effectiveCommits.isEmpty()) {
      throw new Inconclusive("a commit: the group has none");
    }
    return effectiveCommits;
  }

  /** Returns the commits that count, or none when they are not known; for what is good to know. */
  List<Commit> knownCommits() {
    return effectiveCommits;
  }

  /** Returns the commits of open transactions, or none when no commits are known. */
  List<Commit> pendingCommits() {
    return pendingCommits;
  }

  private static List<Commit> effective(List<Commit> commits) {
    return commits.stream()
        .filter(commit -> commit.state() == Commit.State.COMMITTED)
        .sorted(Comparator.comparingLong(Commit::effectivePlace).thenComparingLong(Commit::place))
        .toList();
  }

  /** Returns the first offset still in the log, as far as it is known. */
  long begin(TopicPartition partition) {
    Offsets known = offsets.get(partition);
    return known == null ? 0 : known.begin();
  }

  /** Returns where the group began in a partition: what lies before is none of its business. */
  long start(TopicPartition partition) {
    return starts.getOrDefault(partition, 0L);
  }

  /**
   * Returns the ends of the partitions of the given topics.
   *
   * @throws Inconclusive if they are not known
   */
  Map<TopicPartition, Offsets> offsets() {
    if (offsets.isEmpty()) {
      throw new Inconclusive("where the partitions end");
    }
    return offsets;
  }

  /**
   * Returns the open transactions.
   *
   * @throws Inconclusive if they are not known
   */
  List<OpenTransaction> openTransactions() {
    if (openTransactions == null) {
      throw new Inconclusive("which transactions are open");
    }
    return openTransactions;
  }

  /**
   * Returns the deliveries.
   *
   * @throws Inconclusive if there is none
   */
  List<Delivery> deliveries() {
    if (timeline.deliveries().isEmpty()) {
      throw new Inconclusive("a history in which a record was handled");
    }
    return timeline.deliveries();
  }

  /** What is known so far. Not thread-safe. */
  public static final class Builder {
    private final List<Event> events = new ArrayList<>();
    private final Map<String, List<LogRecord>> sources = new HashMap<>();
    private final Map<String, List<LogRecord>> sinks = new HashMap<>();
    private final Map<TopicPartition, Long> starts = new HashMap<>();
    private final Map<TopicPartition, Offsets> offsets = new HashMap<>();
    private @Nullable List<Commit> commits;
    private @Nullable List<OpenTransaction> openTransactions;
    private Duration clockTolerance = Duration.ZERO;

    private Builder() {}

    /** Adds events. */
    public Builder history(Collection<Event> more) {
      events.addAll(more);
      return this;
    }

    /** Adds the events of files, as {@link History#read} returns them. */
    public Builder history(Path... files) {
      return history(History.read(files));
    }

    /**
     * Adds a topic that the group reads, with all it holds: what a correct consumer would be shown.
     */
    public Builder source(String topic, Collection<ConsumerRecord<byte[], byte[]>> records) {
      sources.put(topic, byPlace(records));
      return this;
    }

    /** Adds a topic that is written, with all it holds. */
    public Builder sink(String topic, Collection<ConsumerRecord<byte[], byte[]>> records) {
      sinks.put(topic, byPlace(records));
      return this;
    }

    /** Sets the group's commits, in the order of the broker's log. */
    public Builder commits(List<Commit> all) {
      commits = List.copyOf(all);
      return this;
    }

    /** Sets where the group began, for partitions where that was not the first record. */
    public Builder starts(Map<TopicPartition, Long> firstOffsets) {
      starts.putAll(firstOffsets);
      return this;
    }

    /** Adds where partitions end. */
    public Builder offsets(Map<TopicPartition, Offsets> more) {
      offsets.putAll(more);
      return this;
    }

    /** Sets the transactions that are open at the end of the run; an empty list says: none. */
    public Builder openTransactions(List<OpenTransaction> all) {
      openTransactions = List.copyOf(all);
      return this;
    }

    /**
     * Sets how far the brokers' wall clocks may be from the processes'; zero by default, as on one
     * machine. What happened within this time of a commit counts as before it.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public Builder clockTolerance(Duration tolerance) {
      if (tolerance.isNegative()) {
        throw new IllegalArgumentException(
            "clockTolerance must not be negative, but is " + tolerance);
      }
      clockTolerance = tolerance;
      return this;
    }

    /** Returns the evidence. */
    public Evidence build() {
      return new Evidence(this);
    }

    private static List<LogRecord> byPlace(Collection<ConsumerRecord<byte[], byte[]>> records) {
      return records.stream()
          .map(LogRecord::of)
          .sorted(
              Comparator.comparingInt((LogRecord record) -> record.partition().partition())
                  .thenComparingLong(LogRecord::offset))
          .toList();
    }
  }
}
