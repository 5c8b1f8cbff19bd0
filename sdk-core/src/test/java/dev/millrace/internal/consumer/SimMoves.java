package dev.millrace.internal.consumer;

import dev.millrace.config.MissingOffset;
import org.apache.kafka.common.TopicPartition;

/** Where partitions go on, when a user or the log moves them, and that it was the right place. */
final class SimMoves {
  private final SimWorld world;
  private final SimOracle oracle;

  SimMoves(SimWorld world, SimOracle oracle) {
    this.world = world;
    this.oracle = oracle;
  }

  /**
   * The client begins where a commit says now. It is not always the one that the engine has read
   * back: an owner whose session is lost while it learns of its partitions finds a later one's.
   */
  void begins(SimProcess process, TopicPartition partition, long offset) {
    SimOwnership ownership = oracle.ownership(process, partition);
    if (ownership != null && offset < ownership.committedBefore) {
      ownership.believesNothing();
    } else if (ownership != null) {
      ownership.believesTooMuch |= world.broker.log(partition).made > ownership.life;
    }
  }

  /** Nobody can tell: the client reads on in a log that may be another one by now. */
  void readsOn(SimProcess process, TopicPartition partition, SimPositions.Position position) {
    SimOwnership ownership = oracle.owner(process, partition);
    SimLog log = world.broker.log(partition);
    excuseNewer(log, position.offset(), position.life(), ownership);
    ownership.believesTooMuch |= log.made > position.life();
    ownership.life = log.life;
  }

  private void excuseNewer(SimLog log, long below, int life, SimOwnership ownership) {
    log.entries
        .headMap(below)
        .forEach(
            (offset, entry) -> {
              if (entry.life() > life && !ownership.delivered.get(Math.toIntExact(offset))) {
                oracle.excuse(log.partition, offset);
              }
            });
  }

  /** The client raises that it does not know where to go on. */
  void raised(SimProcess process, TopicPartition partition, SimOwnership.Missing missing) {
    world.log(process, " can't read on in ", partition, ": ", missing);
    oracle.owner(process, partition).missing = missing;
  }

  /** The client has gone back to where its log was cut, without a word. */
  void wentBack(SimProcess process, TopicPartition partition, SimPositions.Position from, long to) {
    world.log(process, " reads ", partition, " from ", to, " by itself");
    SimOwnership ownership = oracle.owner(process, partition);
    SimLog log = world.broker.log(partition);
    if (log.made > from.life()) {
      // The epochs began again, so nobody can tell that what is below is new.
      excuseNewer(log, to, from.life(), ownership);
    }
    ownership.wentBackFrom = from.offset();
    ownership.missing = null;
  }

  /**
   * Returns whether a delivered record is to be handled or passed over; else it is known to have
   * ended before.
   */
  boolean delivers(SimProcess process, TopicPartition partition, long offset, SimLog.Entry entry) {
    SimOwnership ownership = oracle.owner(process, partition);
    if (ownership.wronglyBelieves(offset, entry.epoch())) {
      oracle.excuse(partition, offset);
    }
    return entry.forOthers()
        ? !ownership.believesDone(offset, entry.epoch())
        : ownership.delivers(offset, entry.epoch());
  }

  /** The engine gets what begins at the offset: it may be the first that it sees of a cut. */
  void polls(SimProcess process, TopicPartition partition, long first) {
    SimOwnership ownership = oracle.owner(process, partition);
    if (first < ownership.wentBackFrom) {
      oracle.replace(process, ownership).rewindsBelow = first;
    } else if (ownership.wentBackFrom >= 0) {
      // There was no record in between.
      ownership.wentBackFrom = -1;
      ownership.life = world.broker.log(partition).life;
    }
  }

  /** A user has the partition go on elsewhere. */
  void sought(SimProcess process, TopicPartition partition, long offset) {
    oracle.replace(process, oracle.owner(process, partition));
    oracle.outputs.moved(partition);
    SimLog log = world.broker.log(partition);
    log.entries.headMap(offset).keySet().forEach(below -> oracle.excuse(partition, below));
  }

  /** The engine has the partition go on where {@code on-missing-offset} says. */
  void goesOn(SimProcess process, TopicPartition partition, long offset) {
    SimOwnership old = oracle.owner(process, partition);
    SimLog log = world.broker.log(partition);
    if (world.exactlyOnce && isRewind(process, old, offset)) {
      oracle.outputs.rewound(process, old, offset);
      return;
    }
    oracle.outputs.moved(partition);
    if (old.missing == null) {
      oracle.require(
          offset < old.rewindsBelow,
          process,
          " reads on at ",
          offset,
          " in ",
          partition,
          " without a reason");
      oracle.replace(process, old);
      return;
    }
    SimOwnership.Missing missing = old.missing;
    old.missing = null;
    long target = target(log, missing);
    oracle.require(
        offset == target || (offset < target && isOldestOpen(offset, log, old)),
        process,
        " goes on at ",
        offset,
        " in ",
        partition,
        ", but should at ",
        target);
    SimPositions.Position position = missing.position();
    boolean chosen =
        missing.cutAt() == null
            && world.definition.onMissingOffset().start() != MissingOffset.Start.EARLIEST;
    excuseNewer(log, target, position == null || chosen ? -1 : position.life(), old);
    if (position != null && target >= position.offset()) {
      // What is in flight is still handled.
      old.believesNothing();
      old.life = log.life;
    } else {
      SimOwnership next = oracle.replace(process, old);
      if (position != null && offset > log.end) {
        // The log was made anew since the error: nothing is known of it until the next one.
        next.life = position.life();
      }
    }
  }

  /**
   * Whether a transaction was given up, and this is where its partition goes on from. A member that
   * was thrown out may be wrong in that, and does not know yet. After a seek a transaction may say
   * what was committed before it, so that nobody can tell whether it was committed.
   */
  private boolean isRewind(SimProcess process, SimOwnership old, long offset) {
    if (!process.client.isMember()) {
      return true;
    }
    boolean mayRewind = process.mayRewind(old.partition);
    if (mayRewind && old.missing == null && oracle.outputs.hasMoved(old.partition)) {
      oracle.outputs.moved(old.partition);
      return true;
    }
    if (old.base != null || old.missing != null) {
      return old.base != null && old.mayGoBackTo(offset, mayRewind);
    }
    return old.mayGoBackTo(offset, mayRewind);
  }

  /**
   * Of what the log does not have any more, some may be open; of a topic made anew, anything. If
   * the log was cut once more since the error, it has nothing there, and that is raised next.
   */
  private static boolean isOldestOpen(long offset, SimLog log, SimOwnership ownership) {
    boolean anew = ownership.believesTooMuch || log.made > ownership.life;
    return offset == log.begin
        || offset == ownership.oldestOpen()
        || (anew && offset >= log.begin)
        || offset >= log.end;
  }

  private long target(SimLog log, SimOwnership.Missing missing) {
    MissingOffset policy = world.definition.onMissingOffset();
    if (missing.cutAt() != null && policy.start() != MissingOffset.Start.FAIL) {
      return Math.max(log.begin, missing.cutAt());
    }
    return switch (policy.start()) {
      case EARLIEST -> log.begin;
      case LATEST -> log.end;
      case BY_DURATION -> log.firstSince(world.clock.now().minus(policy.back()).toEpochMilli());
      case FAIL -> throw oracle.violation("It goes on at ", log.partition, ", and was to fail");
    };
  }
}
