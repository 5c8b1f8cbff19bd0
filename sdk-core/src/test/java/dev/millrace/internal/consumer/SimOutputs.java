package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * T1 to T3: what is committed of outputs and of offsets says the same, in each transaction and
 * after each.
 */
final class SimOutputs {
  static final String TOPIC = "copies";

  private final SimWorld world;
  private final SimOracle oracle;
  private final List<SimHandler.Running> runs = new ArrayList<>();

  /** By partition and offset: how often a record has outputs that are committed. */
  private final List<Map<Long, Integer>> committed = new ArrayList<>();

  /** By partition: how often it was read from elsewhere, as somebody has wished. */
  private final int[] moves;

  SimOutputs(SimWorld world, SimOracle oracle, int partitions) {
    this.world = world;
    this.oracle = oracle;
    this.moves = new int[partitions];
    for (int i = 0; i < partitions; i++) {
      committed.add(new HashMap<>());
    }
  }

  // What handlers send.

  /** Returns the value of an output. */
  String value(SimHandler.Running run, int number) {
    runs.add(run);
    return (runs.size() - 1) + "/" + number;
  }

  /**
   * A handler's output has been sent, so its record has ended, if it is not taken back any more.
   *
   * @param waited whether others went on since that was decided
   */
  SimCoordinator.Output ofHandler(SimProcess process, String value, boolean waited) {
    int slash = value.indexOf('/');
    SimHandler.Running run = runs.get(Integer.parseInt(value.substring(0, slash)));
    int number = Integer.parseInt(value.substring(slash + 1));
    oracle.require(
        run.isDone, "T1: ", process, " sends what a handler has sent that failed: ", run.partition);
    if (number == 0) {
      world.log(process, " sends for ", run.partition, "@", run.offset);
      oracle.takesEffect(process, run, waited);
    }
    return new SimCoordinator.Output(run.ownership, run.offset, run.life, number, run.outputs);
  }

  SimCoordinator.Output ofDeadLetter(
      SimProcess process, TopicPartition partition, long offset, int life) {
    SimOwnership ownership = oracle.owner(process, partition);
    oracle.deadLettered(
        process, new SimProcess.Letter(partition, offset, life, ownership, SimProcess.NO_ANSWER));
    return new SimCoordinator.Output(ownership, offset, life, 0, 1);
  }

  // What becomes of transactions.

  /** A commit is asked for: all that it says has ended in it, or is committed. */
  Map<TopicPartition, SimBroker.Commit> asked(
      SimCoordinator.Transaction transaction,
      SimMember.Snapshot member,
      Map<TopicPartition, OffsetAndMetadata> offsets) {
    Map<TopicPartition, SimBroker.Commit> commits = new HashMap<>();
    world.log(transaction.process, " commits ", offsets, " in ", transaction);
    offsets.forEach(
        (partition, offset) -> {
          SimOwnership ownership = member.owned().get(partition);
          oracle.require(
              ownership != null,
              "C2: ",
              transaction.process,
              " commits ",
              partition,
              ", which it has left");
          commits.put(partition, new SimBroker.Commit(offset, ownership.life, false));
        });
    return commits;
  }

  /** T1: the outputs are those of the records that the offsets say are done, each once. */
  void committed(SimCoordinator.Transaction transaction) {
    Map<TopicPartition, BitSet> outputs = outputs(transaction);
    outputs.forEach(
        (partition, offsets) ->
            oracle.require(
                transaction.offsets.containsKey(partition),
                "T1: ",
                transaction,
                " has outputs of ",
                partition,
                offsets,
                ", but no offset of it"));
    transaction.offsets.forEach(
        (partition, commit) -> {
          SimOwnership ownership = transaction.owned.get(partition);
          BitSet wanted = newlyDone(ownership, commit);
          BitSet are = outputs.getOrDefault(partition, new BitSet());
          oracle.require(
              wanted.equals(are),
              "T1: ",
              transaction,
              " commits outputs of ",
              partition,
              are,
              ", but its offset ",
              commit.said(),
              " says that these are done: ",
              wanted);
          SimBroker.Commit before = world.broker.committed.get(partition);
          if (before != null) {
            oracle.commits.follows(before, commit, transaction.process, ownership);
          }
          ownership.saved.or(are);
          ownership.base = commit;
        });
    world.broker.commit(transaction.offsets);
    transaction.outputs.stream().filter(output -> output.number() == 0).forEach(this::count);
    transaction.offsets.keySet().forEach(this::agrees);
  }

  private void count(SimCoordinator.Output output) {
    TopicPartition partition = output.ownership().partition;
    int times = committed.get(partition.partition()).merge(output.offset(), 1, Integer::sum);
    oracle.require(
        times <= 1 + moves[partition.partition()],
        "T1: the outputs of ",
        partition,
        "@",
        output.offset(),
        " are committed ",
        times,
        " times");
    oracle.ended(partition, output.offset(), output.life());
  }

  /** Returns, by partition, of which records a transaction has all outputs. */
  private Map<TopicPartition, BitSet> outputs(SimCoordinator.Transaction transaction) {
    Map<TopicPartition, BitSet> found = new HashMap<>();
    Map<Long, Set<Integer>> numbers = new HashMap<>();
    for (SimCoordinator.Output output : transaction.outputs) {
      TopicPartition partition = output.ownership().partition;
      oracle.require(
          transaction.owned.get(partition) == output.ownership(),
          "T1: ",
          transaction,
          " has an output of ",
          partition,
          "@",
          output.offset(),
          ", which was taken back");
      Set<Integer> its =
          numbers.computeIfAbsent(
              output.offset() * 8 + partition.partition(), first -> new HashSet<>());
      oracle.require(
          its.add(output.number()),
          "T1: ",
          transaction,
          " has an output of ",
          partition,
          "@",
          output.offset(),
          " twice");
      if (its.size() == output.count()) {
        found
            .computeIfAbsent(partition, first -> new BitSet())
            .set(Math.toIntExact(output.offset()));
      }
    }
    transaction.outputs.forEach(
        output ->
            oracle.require(
                found
                    .getOrDefault(output.ownership().partition, new BitSet())
                    .get(Math.toIntExact(output.offset())),
                "T1: ",
                transaction,
                " has some of the outputs of ",
                output.ownership().partition,
                "@",
                output.offset()));
    return found;
  }

  private BitSet newlyDone(SimOwnership ownership, SimBroker.Commit commit) {
    CompletedAhead ahead = oracle.commits.ahead(ownership.partition, commit.said());
    BitSet done = new BitSet();
    ownership.handed.stream()
        .filter(offset -> offset < commit.said().offset() || ahead.done().contains(offset))
        .forEach(done::set);
    done.andNot(ownership.saved);
    return done;
  }

  /** T1: what is done as the group has it, is what has outputs. */
  private void agrees(TopicPartition partition) {
    if (moves[partition.partition()] > 0) {
      return;
    }
    BitSet done = oracle.commits.covered(partition, world.broker.committed.get(partition));
    oracle.removeExcused(done, partition);
    BitSet copied = new BitSet();
    committed
        .get(partition.partition())
        .keySet()
        .forEach(offset -> copied.set(Math.toIntExact(offset)));
    oracle.require(
        done.equals(copied),
        "T1: of ",
        partition,
        " these are done: ",
        done,
        ", and these have outputs: ",
        copied);
  }

  // Where partitions go on.

  /** Its process learns what is committed; a transaction may have ended since it came. */
  void found(SimProcess process, TopicPartition partition) {
    SimOwnership ownership = oracle.ownership(process, partition);
    if (world.exactlyOnce
        && ownership != null
        && ownership.delivered.isEmpty()
        && !ownership.mayGoBack) {
      oracle.begins(ownership, world.broker.committed.get(partition));
    }
  }

  boolean hasMoved(TopicPartition partition) {
    return moves[partition.partition()] > 0;
  }

  /** Somebody has wished that a partition is read from elsewhere. */
  void moved(TopicPartition partition) {
    moves[partition.partition()]++;
  }

  /** Takes a partition back to its last commit. */
  void rewound(SimProcess process, SimOwnership old, long offset) {
    world.log(process, " goes back to ", offset, " in ", old.partition);
    SimOwnership next = old.again(world.broker.log(old.partition).life);
    if (old.base != null) {
      oracle.begins(next, old.base);
    }
    oracle.owned(process).put(old.partition, next);
  }

  /** T3. */
  void quiet() {
    oracle.require(
        world.broker.coordinator.anyOpen() == null,
        "T3: this is left open: ",
        world.broker.coordinator.anyOpen());
  }
}
