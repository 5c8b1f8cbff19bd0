package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A process's time of owning a partition, or until it goes on elsewhere; offsets in bits are those
 * of records that the log still has.
 */
final class SimOwnership {

  /**
   * What the client has raised, and a seek has to answer.
   *
   * @param position null when there was none
   * @param cutAt where the log was cut, if the leader could tell
   */
  record Missing(SimPositions.@Nullable Position position, @Nullable Long cutAt) {}

  final TopicPartition partition;

  /** What had ended before and is known to the brokers: not to be handled again. */
  BitSet endedBefore = new BitSet();

  /** What was committed when it came. */
  long committedBefore;

  /** What an earlier owner had done beyond its offset, as it was read back. */
  CompletedAhead aheadBefore = CompletedAhead.NONE;

  /** The life of the log up to which it knows what it has read. */
  int life;

  final BitSet delivered = new BitSet();
  final BitSet ended = new BitSet();

  /** What had ended when it left, or before the engine need not wait any longer. */
  BitSet endedInTime = new BitSet();

  /** EOS: its last commit, or the one that it began at; null when there was none. */
  SimBroker.@Nullable Commit base;

  /** What was delivered to be handled, and what of that has outputs that are committed. */
  final BitSet handed = new BitSet();

  final BitSet saved = new BitSet();

  /** Whether it was read again from its last commit: what still runs counts for nothing. */
  boolean isRewound;

  boolean mayGoBack;
  boolean mayForget;
  @Nullable Missing missing;

  /** Its topic was made anew, and nobody can tell: what was done in the old one is believed. */
  boolean believesTooMuch;

  /** Where the client was when it went back by itself, or -1. */
  long wentBackFrom = -1;

  /** When the log was cut: the engine may go further back than this, for what has not ended. */
  long rewindsBelow;

  /** Q1: how many records were delivered and have neither ended nor been taken back. */
  int open;

  /** Whether the service's listener has been told of it, and until when it is waited for. */
  boolean told = true;

  long toldByNanos;

  /** If it leaves: until when its handlers may end, and whether what had ended was saved. */
  long drainedByNanos = Long.MAX_VALUE;

  boolean savedForLeave;

  private final Map<String, Long> lastBegun = new HashMap<>();
  private final Map<String, Set<Long>> begunAndOpen = new HashMap<>();

  SimOwnership(TopicPartition partition, int life) {
    this.partition = partition;
    this.life = life;
  }

  /** The same partition, read from elsewhere. */
  SimOwnership elsewhere(int lifeNow) {
    SimOwnership next = new SimOwnership(partition, lifeNow);
    next.told = told;
    next.toldByNanos = toldByNanos;
    next.mayGoBack = true;
    next.mayForget = true;
    return next;
  }

  /** Whether this is where a transaction that was given up takes it. */
  boolean mayGoBackTo(long offset, boolean mayRewind) {
    return base == null
        ? mayRewind && handed.get(0, Math.toIntExact(offset)).isEmpty()
        : (mayRewind || handed.isEmpty()) && offset == base.said().offset();
  }

  /** The same partition, read again from its last commit. */
  SimOwnership again(int lifeNow) {
    SimOwnership next = elsewhere(base == null ? lifeNow : base.life());
    isRewound = true;
    next.mayGoBack = mayGoBack;
    next.mayForget = mayForget;
    next.drainedByNanos = drainedByNanos;
    next.base = base;
    return next;
  }

  /** Returns whether a delivered record is handled, and not known to have ended before. */
  boolean delivers(long offset, int epoch) {
    delivered.set(Math.toIntExact(offset));
    boolean handled = !believesDone(offset, epoch);
    handed.set(Math.toIntExact(offset), handled);
    open += handled ? 1 : 0;
    return handled;
  }

  /** Returns whether a record is known, rightly or wrongly, to have ended before. */
  boolean believesDone(long offset, int epoch) {
    if (wronglyBelieves(offset, epoch)) {
      endedBefore.set(Math.toIntExact(offset));
    }
    return endedBefore.get(Math.toIntExact(offset));
  }

  /** Returns whether it was delivered to be handled, and has not ended. */
  boolean isOpen(int offset) {
    return handed.get(offset) && !endedBefore.get(offset) && !ended.get(offset);
  }

  /** Returns the oldest that was delivered, has not ended, and is in the log; or -1. */
  int oldestOpen() {
    BitSet open = (BitSet) delivered.clone();
    open.andNot(ended);
    open.andNot(endedBefore);
    return open.nextSetBit(0);
  }

  boolean wronglyBelieves(long offset, int epoch) {
    return believesTooMuch && epoch <= aheadBefore.epoch() && aheadBefore.done().contains(offset);
  }

  /** What earlier owners had done, rightly or wrongly, is not believed any more. */
  void believesNothing() {
    endedBefore = new BitSet();
    aheadBefore = CompletedAhead.NONE;
    believesTooMuch = false;
    mayForget = true;
  }

  void leaves(long nowNanos, long untilNanos) {
    drainedByNanos = Math.max(nowNanos, untilNanos);
    endedInTime = (BitSet) ended.clone();
  }

  void endedInLog(long offset, long nowNanos) {
    ended.set(Math.toIntExact(offset));
    if (drainedByNanos != Long.MAX_VALUE && nowNanos < drainedByNanos) {
      endedInTime.set(Math.toIntExact(offset));
    }
  }

  /** The log does not have these any more. */
  void removed(int from, int to) {
    for (BitSet bits : List.of(endedBefore, delivered, ended, endedInTime)) {
      bits.clear(from, to);
    }
  }

  /**
   * Records that share an order begin, together.
   *
   * @return what is wrong with that, or null
   */
  /**
   * @param failedBefore passed by those that have failed in this process, in whichever ownership
   */
  @Nullable String begin(
      String order, List<SimHandler.Running> together, Predicate<SimHandler.Running> failedBefore) {
    Set<Long> open = begunAndOpen.computeIfAbsent(order, first -> new HashSet<>());
    List<Long> begun = new ArrayList<>();
    for (SimHandler.Running run : together) {
      boolean again = open.contains(run.offset);
      if (again && run.attempt == 1) {
        return "anew, though it has begun";
      }
      if (!again && run.attempt > 1 && !failedBefore.test(run)) {
        return "again, though it never failed";
      }
      if (!again && !open.isEmpty()) {
        return "before these have ended: " + open;
      }
      if (!again && run.offset <= lastBegun.getOrDefault(order, -1L)) {
        return "after @" + lastBegun.get(order);
      }
      if (!again) {
        lastBegun.put(order, run.offset);
        begun.add(run.offset);
      }
    }
    open.addAll(begun);
    return null;
  }

  void ended(long offset) {
    open--;
    begunAndOpen.values().forEach(offsets -> offsets.remove(offset));
  }
}
