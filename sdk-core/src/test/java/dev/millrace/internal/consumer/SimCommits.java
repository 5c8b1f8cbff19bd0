package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Which commits are allowed, when they are made and when they are applied. */
final class SimCommits {
  private final SimWorld world;
  private final SimOracle oracle;

  SimCommits(SimWorld world, SimOracle oracle) {
    this.world = world;
    this.oracle = oracle;
  }

  /** C1, C2: when a commit is made, all that it says has ended, as far as its maker can know. */
  Map<TopicPartition, SimBroker.Commit> made(
      SimProcess process, Map<TopicPartition, OffsetAndMetadata> offsets) {
    world.log(process, " commits ", offsets);
    Map<TopicPartition, SimBroker.Commit> commits = new HashMap<>();
    offsets.forEach(
        (partition, offset) -> {
          SimOwnership ownership = oracle.ownership(process, partition);
          oracle.require(
              ownership != null, "C2: ", process, " commits ", partition, ", which it has left");
          SimBroker.Commit commit =
              new SimBroker.Commit(offset, ownership.life, ownership.believesTooMuch);
          commits.put(partition, commit);
          BitSet said = covered(partition, commit);
          oracle.removeEnded(said, ownership);
          oracle.require(
              said.isEmpty(),
              "C1: ",
              process,
              " commits ",
              offset,
              " of ",
              partition,
              ", but these have not ended: ",
              said);
          SimLog log = world.broker.log(partition);
          oracle.require(
              offset.offset() <= log.end || ownership.life != log.life,
              "C2: ",
              process,
              " commits ",
              offset,
              ", beyond the end of ",
              partition);
        });
    return commits;
  }

  /** C2: when a commit is applied, it is an owner's, does not go back, and forgets nothing. */
  void applied(SimProcess process, Map<TopicPartition, SimBroker.Commit> commits) {
    world.log("the broker takes from ", process, " ", commits);
    commits.forEach(
        (partition, commit) -> {
          oracle.require(
              world.broker.owner(partition) == process.client,
              "C2: ",
              process,
              " commits ",
              partition,
              ", which is not its own");
          SimBroker.Commit before = world.broker.committed.get(partition);
          SimOwnership ownership = oracle.ownership(process, partition);
          if (before != null && ownership != null) {
            follows(before, commit, process, ownership);
          }
        });
  }

  /** C2. */
  void follows(
      SimBroker.Commit before,
      SimBroker.Commit commit,
      SimProcess process,
      SimOwnership ownership) {
    if (!ownership.mayForget && world.broker.takesAllMetadata()) {
      BitSet forgotten = covered(ownership.partition, before);
      forgotten.andNot(covered(ownership.partition, commit));
      oracle.require(
          forgotten.isEmpty(),
          "C2: ",
          process,
          " commits ",
          commit,
          " in ",
          ownership.partition,
          ", which forgets what ",
          before,
          " said: ",
          forgotten);
    }
    oracle.require(
        before.said().offset() <= commit.said().offset() || ownership.mayGoBack,
        "C2: ",
        process,
        " commits ",
        commit,
        " in ",
        ownership.partition,
        ", back from ",
        before);
  }

  /** Returns which of the log's records are done, as far as a commit says. */
  BitSet covered(TopicPartition partition, SimBroker.@Nullable Commit commit) {
    BitSet covered = new BitSet();
    if (commit == null) {
      return covered;
    }
    CompletedAhead ahead = ahead(partition, commit.said());
    SimLog log = world.broker.log(partition);
    // The epochs of a topic that was made anew begin again, and say nothing.
    int lastEpoch = log.made <= commit.life() ? ahead.epoch() : -1;
    log.entries.forEach(
        (offset, entry) -> {
          boolean below = offset < commit.said().offset() && entry.life() <= commit.life();
          if (below || (entry.epoch() <= lastEpoch && ahead.done().contains(offset))) {
            covered.set(Math.toIntExact(offset));
          }
        });
    return covered;
  }

  CompletedAhead ahead(TopicPartition partition, OffsetAndMetadata committed) {
    return CompletedAhead.read(partition, committed)
        .orElseThrow(() -> oracle.violation("C2: ", committed, " was saved for another offset"));
  }
}
