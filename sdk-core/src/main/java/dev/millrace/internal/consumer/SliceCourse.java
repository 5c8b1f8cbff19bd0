package dev.millrace.internal.consumer;

import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import dev.millrace.internal.transaction.Poison;
import dev.millrace.internal.transaction.Slice;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One slice's way from transaction to transaction. Confined to the poll thread, but for {@link
 * #wantsStep}.
 *
 * <p>Invariants: what a transaction says of a partition is one snapshot, of the tracker under which
 * its records have ended; a partition that leaves, or starts anew, while the transaction has ends
 * of it that no snapshot names, spoils the transaction. And after a transaction that was not
 * committed nothing ends before all of the slice's partitions are back where the group's offsets
 * say, and these are asked for only when a successor has begun, so that they can't change any more.
 */
final class SliceCourse {
  private static final Logger LOG = LoggerFactory.getLogger(SliceCourse.class);

  /** Before what has just failed is tried again. */
  private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private enum Stage {
    /** Shut, no transaction; one is begun when it is due. */
    CLOSED,
    /** The slice's thread begins one. */
    BEGINNING,
    /** Begun, but shut: the partitions are not back yet. */
    REWINDING,
    /** Records end. */
    OPEN,
    /** Shut, but for the records that are about to end. */
    SHUTTING,
    /** The slice's thread commits or aborts, and after a commit begins the next and opens. */
    ENDING
  }

  private final String consumer;
  private final Slice slice;
  private final Supplier<List<AssignedPartition>> partitions;
  private final Supplier<ConsumerGroupMetadata> group;
  private final Rewind rewind;
  private final Poisoned poisoned;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final long intervalNanos;
  private final LogThrottle log = new LogThrottle();
  private volatile Stage stage = Stage.CLOSED;
  private long dueNanos;
  private boolean undoing;
  private int endedInDoubt;
  private Set<String> leftInDoubt = Set.of();
  private int abortsInARow;
  private @Nullable RuntimeException spoiled;
  private @Nullable RuntimeException failure;
  private Map<AssignedPartition, OffsetAndMetadata> onItsWay = Map.of();

  /**
   * @param partitions those of the slice that are owned now
   * @param group of the last poll
   * @param intervalNanos from one transaction's begin to its commit
   */
  SliceCourse(
      String consumer,
      Slice slice,
      Supplier<List<AssignedPartition>> partitions,
      Supplier<ConsumerGroupMetadata> group,
      Rewind rewind,
      Poisoned poisoned,
      ConsumerMeters meters,
      EngineClock clock,
      long intervalNanos) {
    this.consumer = consumer;
    this.slice = slice;
    this.partitions = partitions;
    this.group = group;
    this.rewind = rewind;
    this.poisoned = poisoned;
    this.meters = meters;
    this.clock = clock;
    this.intervalNanos = intervalNanos;
    this.dueNanos = clock.nanos();
  }

  /** Any thread. Whether others have brought about what {@link #step} has waited for. */
  boolean wantsStep() {
    return switch (stage) {
      case BEGINNING, ENDING -> slice.hasNews();
      case SHUTTING -> slice.isQuiet();
      case CLOSED, REWINDING, OPEN -> false;
    };
  }

  /** Whether records end, or are kept from it by nothing that waits for a broker. */
  boolean isOpen() {
    return stage == Stage.OPEN;
  }

  /** Returns when it wants its next step, if nothing happens before. */
  long dueNanos() {
    return switch (stage) {
      case CLOSED, REWINDING, OPEN -> dueNanos;
      case BEGINNING, SHUTTING, ENDING -> clock.nanos() + intervalNanos;
    };
  }

  /** Does what there is to do, without waiting. */
  void step() {
    switch (stage) {
      case CLOSED -> beginIfDue();
      case BEGINNING, ENDING -> {
        Slice.News news = slice.takeNews();
        if (news != null) {
          hear(news);
        }
      }
      case REWINDING -> {
        if (isDue()) {
          rewind();
        }
      }
      case OPEN -> {
        if (isDue() || spoiled != null) {
          endIfAnything();
        }
      }
      case SHUTTING -> endOnceQuiet();
    }
  }

  /** Ends the transaction now, if it is open and there is anything in it. */
  void endNow() {
    if (stage == Stage.OPEN) {
      endIfAnything();
    }
  }

  /** Returns what has gone wrong since it was last asked, or null. */
  @Nullable RuntimeException takeFailure() {
    RuntimeException taken = failure;
    failure = null;
    return taken;
  }

  /**
   * A partition of the slice has left, or starts anew; none of its records ends any more. While a
   * commit is on its way the next transaction may have opened unheard of, so what counts is whether
   * the partition has more to say than that commit.
   */
  void left(AssignedPartition partition) {
    if ((stage == Stage.OPEN || stage == Stage.SHUTTING || stage == Stage.ENDING)
        && slice.isTouched()) {
      OffsetAndMetadata unsaid = unsaid(partition, CommitSize.ofMany(1));
      if (unsaid != null && !unsaid.equals(onItsWay.get(partition))) {
        spoiled =
            new IllegalStateException(
                partition.partition() + " has gone with records that no commit names");
      }
    }
  }

  private boolean isDue() {
    return clock.nanos() - dueNanos >= 0;
  }

  private void beginIfDue() {
    if (isDue()) {
      slice.begin();
      stage = Stage.BEGINNING;
    }
  }

  private void hear(Slice.News news) {
    if (news instanceof Slice.Begun) {
      begun();
    } else if (news instanceof Slice.NotBegun notBegun) {
      notBegun(notBegun.cause());
    } else if (news instanceof Slice.Committed committed) {
      committed(committed);
    } else if (news instanceof Slice.Aborted aborted) {
      aborted(aborted);
    } else if (news instanceof Slice.Failed failed) {
      throw new IllegalStateException("A slice has failed: " + failed.bug(), failed.bug());
    }
  }

  private void begun() {
    if (undoing) {
      stage = Stage.REWINDING;
      rewind();
    } else {
      slice.open();
      opened();
    }
  }

  private void opened() {
    stage = Stage.OPEN;
    dueNanos = clock.nanos() + intervalNanos;
  }

  private void notBegun(RuntimeException cause) {
    stage = Stage.CLOSED;
    dueNanos = clock.nanos() + REST_NANOS;
    failed(cause, partitions.get());
    log("can't begin a transaction, and ends no record until it can", cause);
  }

  private void endIfAnything() {
    dueNanos = clock.nanos() + intervalNanos;
    if (spoiled != null || slice.isTouched() || !finished().isEmpty()) {
      stage = Stage.SHUTTING;
      endOnceQuiet();
    }
  }

  /** Who ends the last record that was about to end signals. */
  private void endOnceQuiet() {
    if (!slice.shut()) {
      return;
    }
    RuntimeException cause = spoiled;
    Map<AssignedPartition, OffsetAndMetadata> finished = finished();
    if (cause != null) {
      spoiled = null;
      slice.abort(cause);
    } else if (finished.isEmpty() || partitions.get().stream().anyMatch(SliceCourse::isCutShort)) {
      // Its offsets can't say all that is done; until they can, its partition is not polled.
      slice.open();
      opened();
      return;
    } else {
      onItsWay = finished;
      slice.commit(byName(finished), group.get());
    }
    stage = Stage.ENDING;
  }

  private static boolean isCutShort(AssignedPartition partition) {
    return partition.tracker().unsaved() > 0;
  }

  private Map<AssignedPartition, OffsetAndMetadata> finished() {
    List<AssignedPartition> owned = partitions.get();
    int chars = CommitSize.ofMany(owned.size());
    Map<AssignedPartition, OffsetAndMetadata> finished = new HashMap<>();
    for (AssignedPartition partition : owned) {
      OffsetAndMetadata offset = unsaid(partition, chars);
      if (offset != null) {
        finished.put(partition, offset);
      }
    }
    return finished;
  }

  /**
   * Returns what there is to say of a partition, or null. Never what the group's offsets say
   * already: they could not tell whether it was committed. Where the user has gone back, and has
   * come to the same offset again, it is said in other words.
   */
  private static @Nullable OffsetAndMetadata unsaid(AssignedPartition partition, int chars) {
    OffsetAndMetadata offset = partition.tracker().committable(chars);
    if (offset == null || !partition.isKnown(offset)) {
      return offset;
    }
    return partition.isWhereKnown() || !offset.metadata().isEmpty()
        ? null
        : new OffsetAndMetadata(offset.offset(), offset.leaderEpoch(), "again");
  }

  private void committed(Slice.Committed committed) {
    acknowledge(committed.left());
    if (committed.notBegun() == null) {
      opened();
    } else {
      notBegun(committed.notBegun());
    }
  }

  private void acknowledge(Set<String> left) {
    abortsInARow = 0;
    poisoned.left(left);
    Instant now = clock.now();
    onItsWay.forEach(
        (partition, offset) -> {
          partition.committed(offset);
          partition.commits().acknowledged(offset.offset(), now);
          poisoned.forgetBefore(partition.partition(), offset.offset());
        });
    onItsWay = Map.of();
  }

  private void aborted(Slice.Aborted aborted) {
    meters.commitFailed();
    failed(aborted.cause(), onItsWay.keySet());
    undoing = true;
    endedInDoubt = aborted.ended();
    leftInDoubt = aborted.left();
    stage = Stage.CLOSED;
    dueNanos = clock.nanos() + (abortsInARow == 0 ? 0 : REST_NANOS);
    abortsInARow++;
    log("has not committed a transaction of %d records".formatted(endedInDoubt), aborted.cause());
    beginIfDue();
    // Last: it may end the consumer, which then has to come out of this first.
    poisoned.add(oneOfEach(aborted.poison()));
  }

  /** Several outputs of a record may have failed alike. */
  private static Collection<Poison> oneOfEach(List<Poison> poison) {
    Map<String, Poison> ofRecord = new LinkedHashMap<>();
    poison.forEach(next -> ofRecord.putIfAbsent(next.partition() + "@" + next.offset(), next));
    return ofRecord.values();
  }

  private void rewind() {
    switch (rewind.toLastCommit(partitions.get(), onItsWay)) {
      case NOT_KNOWN -> {
        dueNanos = clock.nanos() + REST_NANOS;
        return;
      }
      case COMMITTED -> acknowledge(leftInDoubt);
      case UNDONE -> meters.undone(endedInDoubt);
    }
    onItsWay = Map.of();
    undoing = false;
    spoiled = null;
    slice.open();
    opened();
  }

  private void failed(RuntimeException cause, Iterable<AssignedPartition> theirs) {
    failure = cause;
    Instant now = clock.now();
    theirs.forEach(partition -> partition.commits().failed(cause, now));
  }

  private void log(String what, RuntimeException cause) {
    String end = log.permit();
    if (end != null) {
      LOG.warn("Consumer '{}' {}: {}{}", consumer, what, cause.toString(), end);
    }
  }

  private static Map<TopicPartition, OffsetAndMetadata> byName(
      Map<AssignedPartition, OffsetAndMetadata> finished) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    finished.forEach((partition, offset) -> offsets.put(partition.partition(), offset));
    return offsets;
  }
}
