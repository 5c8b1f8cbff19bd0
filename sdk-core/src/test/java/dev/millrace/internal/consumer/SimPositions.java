package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Where a client's fetches go on, and how it finds out that a log does not have that offset: by its
 * bounds, and, where the position has a leader epoch, by asking the leader where that epoch ends.
 */
final class SimPositions {

  /**
   * Where a fetch goes on.
   *
   * @param epoch of the record before it, if the client knows
   * @param life of the log in which it was known to be right
   */
  record Position(long offset, Optional<Integer> epoch, int life) {
    OffsetAndMetadata told() {
      return new OffsetAndMetadata(offset, epoch, "");
    }
  }

  private final SimProcess process;
  private final SimBroker broker;
  private final SimWorld world;
  private final Map<TopicPartition, Position> known = new HashMap<>();

  /** The new protocol's client may raise an error once more. */
  private @Nullable InvalidOffsetException again;

  private final Map<TopicPartition, SimOwnership.Missing> raised = new HashMap<>();

  private @Nullable TopicPartition wentBackIn;

  SimPositions(SimProcess process, SimBroker broker) {
    this.process = process;
    this.broker = broker;
    this.world = process.world;
  }

  /** Returns the position; where there is none, what is committed becomes it. */
  @Nullable Position of(TopicPartition partition) {
    if (broker.coordinator.isPending(partition) && !known.containsKey(partition)) {
      return null;
    }
    return known.computeIfAbsent(
        partition,
        name -> {
          SimBroker.Commit committed = broker.committed.get(name);
          if (committed == null) {
            return null;
          }
          OffsetAndMetadata said = committed.said();
          world.oracle.moves.begins(process, name, said.offset());
          return new Position(said.offset(), said.leaderEpoch(), committed.life());
        });
  }

  OptionalLong lag(TopicPartition partition) {
    Position position = known.get(partition);
    return position == null
        ? OptionalLong.empty()
        : OptionalLong.of(broker.log(partition).end - position.offset());
  }

  void set(TopicPartition partition, long offset, Optional<Integer> epoch) {
    known.put(partition, new Position(offset, epoch, broker.log(partition).life));
  }

  void forget(Collection<TopicPartition> gone) {
    gone.forEach(known::remove);
    again = null;
  }

  /** Returns the partition, once, in which the client has gone back by itself. */
  @Nullable TopicPartition wentBackIn() {
    TopicPartition partition = wentBackIn;
    wentBackIn = null;
    return partition;
  }

  /** Before a fetch. Throws what the client raises out of the poll. */
  void validate(Collection<TopicPartition> owned, Set<TopicPartition> paused) {
    InvalidOffsetException once = again;
    again = null;
    if (once != null && world.oneIn(8)) {
      raisedAgain(once);
      throw once;
    }
    Set<TopicPartition> none = new HashSet<>();
    Map<TopicPartition, Long> lost = new HashMap<>();
    Map<TopicPartition, Long> cut = new HashMap<>();
    Map<TopicPartition, OffsetAndMetadata> cutAt = new HashMap<>();
    for (TopicPartition partition : owned) {
      Position position = of(partition);
      if (position == null) {
        if (!broker.coordinator.isPending(partition)) {
          none.add(partition);
        }
      } else if (!paused.contains(partition)) {
        SimLog log = broker.log(partition);
        if (isCut(log, position)) {
          cut(log, position, cut, cutAt);
        } else if (position.offset() < log.begin || position.offset() > log.end) {
          lost.put(partition, position.offset());
        } else if (position.life() != log.life) {
          world.oracle.moves.readsOn(process, partition, position);
          known.put(partition, new Position(position.offset(), position.epoch(), log.life));
        }
      }
    }
    if (wentBackIn == null) {
      raise(none, lost, cut, cutAt);
    }
  }

  private static boolean isCut(SimLog log, Position position) {
    return position.life() != log.life
        && position.epoch().isPresent()
        && log.endOf(position.epoch().get()).orElse(-1) < position.offset();
  }

  private void cut(
      SimLog log,
      Position position,
      Map<TopicPartition, Long> cut,
      Map<TopicPartition, OffsetAndMetadata> cutAt) {
    OptionalLong at = log.endOf(position.epoch().orElseThrow());
    if (at.isPresent()
        && at.getAsLong() >= log.begin
        && at.getAsLong() < log.end
        && wentBackIn == null
        && world.oneIn(4)) {
      // As a client does that was not told to raise it.
      wentBackIn = log.partition;
      world.oracle.moves.wentBack(process, log.partition, position, at.getAsLong());
      set(log.partition, at.getAsLong(), Optional.empty());
      return;
    }
    cut.put(log.partition, position.offset());
    at.ifPresent(offset -> cutAt.put(log.partition, new OffsetAndMetadata(offset)));
  }

  /** Where a partition stands at just that offset, nobody can tell that the error is an old one. */
  private void raisedAgain(InvalidOffsetException once) {
    for (TopicPartition partition : once.partitions()) {
      Position position = known.get(partition);
      SimOwnership.Missing missing = requireNonNull(raised.get(partition));
      if (position != null
          && missing.position() != null
          && position.offset() == missing.position().offset()) {
        world.oracle.moves.raised(process, partition, missing);
      }
    }
  }

  private void raise(
      Set<TopicPartition> none,
      Map<TopicPartition, Long> lost,
      Map<TopicPartition, Long> cut,
      Map<TopicPartition, OffsetAndMetadata> cutAt) {
    InvalidOffsetException error;
    if (!none.isEmpty()) {
      error = new NoOffsetForPartitionException(none);
    } else if (!cut.isEmpty()) {
      error = new LogTruncationException("cut", cut, cutAt);
    } else if (!lost.isEmpty()) {
      error = new OffsetOutOfRangeException(lost);
    } else {
      return;
    }
    for (TopicPartition partition : error.partitions()) {
      Position position = known.get(partition);
      OffsetAndMetadata at = cutAt.get(partition);
      SimOwnership.Missing missing =
          new SimOwnership.Missing(position, at == null ? null : Long.valueOf(at.offset()));
      raised.put(partition, missing);
      world.oracle.moves.raised(process, partition, missing);
    }
    again = error;
    throw error;
  }
}
