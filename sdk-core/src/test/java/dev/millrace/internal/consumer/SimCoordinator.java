package dev.millrace.internal.consumer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The transactions of a broker: each id has an epoch, and at most one that is open. What was sent
 * in one is seen when it is committed; its offsets hold up who asks for them until it has ended.
 */
final class SimCoordinator {
  /** Whether and how a transaction has ended. */
  enum State {
    OPEN,
    COMMITTED,
    ABORTED
  }

  /**
   * What a handler, or a consumer that gives a record up, has sent.
   *
   * @param ownership in which the record was delivered
   * @param number which one of the record's outputs it is, from 0
   * @param count how many the record has
   */
  record Output(SimOwnership ownership, long offset, int life, int number, int count) {}

  /** What was sent, and what was said of offsets, under one epoch of an id. */
  static final class Transaction {
    final SimProcess process;
    final int slice;
    final String id;
    final int epoch;
    final List<Output> outputs = new ArrayList<>();
    final Map<TopicPartition, SimBroker.Commit> offsets = new HashMap<>();

    /** By partition: the times of owning it of which the offsets tell. */
    final Map<TopicPartition, SimOwnership> owned = new HashMap<>();

    State state = State.OPEN;
    private long begunNanos = -1;

    Transaction(SimProcess process, int slice, String id, int epoch) {
      this.process = process;
      this.slice = slice;
      this.id = id;
      this.epoch = epoch;
    }

    @Override
    public String toString() {
      return id + "#" + epoch;
    }
  }

  private record LateEnd(Transaction transaction, boolean commits) {}

  private final SimWorld world;
  private final long timeoutNanos;
  private final Map<String, Integer> epochs = new HashMap<>();

  /** Of those that the broker knows of: something was sent, or offsets. */
  private final Map<String, Transaction> open = new HashMap<>();

  private final List<LateEnd> late = new ArrayList<>();

  SimCoordinator(SimWorld world, long timeoutNanos) {
    this.world = world;
    this.timeoutNanos = timeoutNanos;
  }

  /** A new client of an id: what the former one has left is over. Returns its epoch. */
  int init(String id) {
    int epoch = epochs.merge(id, 1, Integer::sum);
    Transaction left = open.get(id);
    if (left != null && world.bug.fences()) {
      end(left, false);
    }
    return epoch;
  }

  /** Returns whether the transaction has the output. */
  boolean send(Transaction transaction, Output output) {
    if (!isOpen(transaction)) {
      return false;
    }
    register(transaction);
    transaction.outputs.add(output);
    return true;
  }

  /** Returns whether the transaction has the offsets. */
  boolean send(
      Transaction transaction,
      Map<TopicPartition, SimBroker.Commit> offsets,
      Map<TopicPartition, SimOwnership> owned) {
    if (!isOpen(transaction)) {
      return false;
    }
    register(transaction);
    transaction.offsets.putAll(offsets);
    transaction.owned.putAll(owned);
    return true;
  }

  private void register(Transaction transaction) {
    if (transaction.begunNanos < 0) {
      transaction.begunNanos = world.clock.nanos();
      open.put(transaction.id, transaction);
    }
  }

  private boolean isOpen(Transaction transaction) {
    return transaction.state == State.OPEN
        && (!world.bug.fences() || epochs.get(transaction.id) == transaction.epoch);
  }

  /** Returns whether it has come to this end. */
  boolean end(Transaction transaction, boolean commits) {
    if (transaction.state != State.OPEN) {
      return transaction.state == (commits ? State.COMMITTED : State.ABORTED);
    }
    open.remove(transaction.id, transaction);
    transaction.state = commits ? State.COMMITTED : State.ABORTED;
    world.log(transaction, commits ? " is committed: " : " is aborted: ", transaction.offsets);
    if (commits) {
      world.oracle.outputs.committed(transaction);
    }
    return true;
  }

  /** As a client's request, which a later epoch keeps out. */
  boolean endAsAsked(Transaction transaction, boolean commits) {
    boolean fenced = world.bug.fences() && epochs.get(transaction.id) != transaction.epoch;
    return !fenced && end(transaction, commits);
  }

  /** The request of a client that waits no more; it may come at any time. */
  void endLate(Transaction transaction, boolean commits) {
    late.add(new LateEnd(transaction, commits));
  }

  void arriveLate() {
    if (!late.isEmpty()) {
      LateEnd end = late.remove(world.random.nextInt(late.size()));
      world.log("a late end of ", end.transaction, " arrives");
      boolean unused = endAsAsked(end.transaction, end.commits);
    }
  }

  /** Aborts what has been open for too long. */
  void expire() {
    for (Transaction transaction : List.copyOf(open.values())) {
      if (world.clock.nanos() - transaction.begunNanos > timeoutNanos) {
        expire(transaction);
      }
    }
  }

  /** One expires, whatever the time. */
  void expireOne() {
    if (!open.isEmpty()) {
      List<Transaction> all = List.copyOf(open.values());
      expire(all.get(world.random.nextInt(all.size())));
    }
  }

  private void expire(Transaction transaction) {
    world.log(transaction, " expires");
    epochs.merge(transaction.id, 1, Integer::sum);
    end(transaction, false);
  }

  /** Whether what is committed of a partition may be about to change. */
  boolean isPending(TopicPartition partition) {
    for (Transaction transaction : open.values()) {
      if (transaction.offsets.containsKey(partition)) {
        return true;
      }
    }
    return false;
  }

  /** Returns what is open; null when nothing is. */
  @Nullable Transaction anyOpen() {
    return open.isEmpty() ? null : open.values().iterator().next();
  }
}
