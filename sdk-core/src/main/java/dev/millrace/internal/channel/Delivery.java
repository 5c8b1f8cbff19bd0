package dev.millrace.internal.channel;

import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.transaction.Departure;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalInt;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One record on its way from the poll to its end. The poll thread makes it; then it belongs to
 * whoever holds its lane, one at a time.
 */
public final class Delivery extends Watched implements OffsetTicket.Holder {
  private static final int IN_CHANNEL = 0;
  private static final int RESTING = 1;
  private static final int GONE = 2;

  private static final VarHandle PARKED;
  private static final VarHandle PLACE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      PARKED = lookup.findVarHandle(Delivery.class, "parked", boolean.class);
      PLACE = lookup.findVarHandle(Delivery.class, "place", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final OffsetTicket ticket;
  private final PartitionLoad load;
  private final int bytes;
  private final long queuedNanos;

  private @Nullable ConsumerRecord<byte[], byte[]> record;
  private Tries tries;
  private @Nullable Departure departure;
  private @Nullable String refusedWhy;
  private @Nullable KeyPlace keyPlace;
  private @Nullable Claimed claimed;

  private volatile boolean skipWanted;

  /** Whether somebody still owes a resume for a wait. */
  @SuppressWarnings("UnusedVariable") // read and written through PARKED
  private volatile boolean parked;

  /** Where it counts; only {@link InFlight} changes it. Plain, as long as nobody moves it. */
  @SuppressWarnings("UnusedVariable") // read and written through PLACE
  private int place = IN_CHANNEL;

  // The scheduler's own.
  @Nullable Lane lane;
  @Nullable Delivery next;

  /**
   * @param record as polled, still bytes
   * @param ticket its offset's ticket
   * @param load what its partition has in the channel
   * @param queuedNanos when it was polled, in the engine's time
   */
  public Delivery(
      ConsumerRecord<byte[], byte[]> record,
      OffsetTicket ticket,
      PartitionLoad load,
      long queuedNanos) {
    this(record, ticket, load, queuedNanos, null);
  }

  /**
   * @param record as it stood in its own topic, whichever it was polled from
   * @param history what it has been through since; null when it was polled from its own topic
   */
  public Delivery(
      ConsumerRecord<byte[], byte[]> record,
      OffsetTicket ticket,
      PartitionLoad load,
      long queuedNanos,
      @Nullable History history) {
    this.record = record;
    this.ticket = ticket;
    this.load = load;
    this.bytes = RecordBytes.of(record);
    this.queuedNanos = queuedNanos;
    this.tries = Tries.after(history);
    ticket.heldBy(this);
  }

  /** Returns the record; it is gone once the delivery has ended. */
  public ConsumerRecord<byte[], byte[]> record() {
    ConsumerRecord<byte[], byte[]> held = record;
    if (held == null) {
      throw new IllegalStateException("The delivery at offset " + ticket.offset() + " has ended.");
    }
    return held;
  }

  public OffsetTicket ticket() {
    return ticket;
  }

  public long queuedNanos() {
    return queuedNanos;
  }

  /** Returns how often it has been tried. Who has the attempt. */
  public Tries tries() {
    return tries;
  }

  /**
   * Returns a number that tells it from a record that another log has at its offset; empty when it
   * has ended. Poll thread.
   */
  public OptionalInt fingerprint() {
    ConsumerRecord<byte[], byte[]> held = record;
    return held == null
        ? OptionalInt.empty()
        : OptionalInt.of(
            Objects.hash(
                held.timestamp(), Arrays.hashCode(held.key()), Arrays.hashCode(held.value())));
  }

  /** Poll thread, before the record is offered: it was here before, and was tried then. */
  public void triedBefore(Tries before) {
    tries = before;
  }

  /**
   * Returns which attempt is running or comes next, from 1; those made before, in other topics, are
   * counted. Any thread.
   */
  public int attempt() {
    return tries.number();
  }

  /** Who has the attempt that has failed: the record leaves for another topic. */
  public void failed(long epochMillis) {
    tries = tries.failed(epochMillis);
  }

  /**
   * Who has the attempt that has failed: another one follows in place.
   *
   * @param firstBeganNanos by {@link Tries#since}, when the first one did
   */
  public void nextAttempt(long firstBeganNanos, long epochMillis) {
    tries = tries.next(firstBeganNanos, epochMillis);
  }

  /** Returns which retry topic it was polled from, from 1; 0 when it was its own topic. */
  public int level() {
    return tries.level();
  }

  /** Returns the partition that it was polled from, which holds its offset; until it ends. */
  public TopicPartition readFrom() {
    History history = tries.history();
    return history == null
        ? new TopicPartition(record().topic(), record().partition())
        : history.readFrom();
  }

  /** Returns how it goes to another topic, or null when it does not. */
  public @Nullable Departure departure() {
    return departure;
  }

  /**
   * Decides how it leaves; whenever the lane resumes, the send is tried again. Who works on it, or
   * the poll thread before it offers the record.
   */
  public void leaves(Departure how, long nowNanos) {
    departure = how;
    if (how.followsKey()) {
      waitsForKey(nowNanos);
      return;
    }
    String failure = how.failure().getClass().getName();
    waitsFor(
        how.level() == 0
            ? new Waiting.ForDeadLetter(nowNanos, failure)
            : new Waiting.ForRetryTopic(how.level(), nowNanos, failure));
  }

  /** Worker, before it parks the lane, or sends the record after its key. */
  public void waitsForKey(long nowNanos) {
    if (!(waiting() instanceof Waiting.ForKey)) {
      waitsFor(new Waiting.ForKey(nowNanos));
    }
  }

  /** Poll thread, before it offers the record: where later records of a key follow it. */
  public void ordered(@Nullable KeyPlace place) {
    keyPlace = place;
  }

  /** Who works on it. Has it wait for its key where it is, since it can't follow it. */
  public void stays() {
    departure = null;
    keyPlace = Objects.requireNonNull(keyPlace).staying();
  }

  /** Returns whose key it has; null when it follows none. */
  public @Nullable KeyPlace keyPlace() {
    return keyPlace;
  }

  /** Returns its claim to its message; null before the first, and when it makes none. */
  public @Nullable Claimed claimed() {
    return claimed;
  }

  public void claims(Claimed claim) {
    claimed = claim;
  }

  /** Returns whether its attempt has ended, and something is left to do of it. */
  public boolean isSettling() {
    return claimed != null && claimed.isSettling();
  }

  /** Does what is left of its attempt, with its ticket as it is. Worker. */
  public DeliveryProcessor.Progress settle() {
    return Objects.requireNonNull(claimed).settle(this);
  }

  /**
   * Says that no handler is to be called for it, and that it is given up: the poll thread before it
   * offers the record, or who can't have it leave as it was to.
   *
   * @param why in the words of logs and headers
   */
  public void refuse(Throwable cause, String why) {
    givenUp(cause);
    refusedWhy = why;
    departure = null;
  }

  /** Returns why it was refused, or null when it was not. Who has the attempt. */
  public @Nullable String refusedWhy() {
    return refusedWhy;
  }

  /**
   * Poll thread. Ends the record if it waits, for a worker, an executor or a retry, and gives its
   * room in the channel back; the lane goes on when it gets to the record, or is to be resumed by
   * the caller if {@link #unparks} says so. False when the record does not wait; then whoever works
   * on it finds {@link #isSkipWanted}.
   */
  public boolean skip() {
    skipWanted = true;
    return skipWaiting();
  }

  private boolean skipWaiting() {
    if (!ticket.skip()) {
      return false;
    }
    withdrawn();
    return true;
  }

  /** Returns whether the record is to end as skipped, unless it is handled. Any thread. */
  public boolean isSkipWanted() {
    return skipWanted;
  }

  /** What came of {@link #rests}. */
  public enum Rest {
    /** The caller owes a resume to the lane, if it gets to {@link #unparks} when the time comes. */
    WAITS,
    /** The record has ended as skipped; the caller still has the lane. */
    SKIPPED,
    /** Its partition leaves, or has left; the caller still has the lane. */
    TAKEN_BACK
  }

  /** Who works on the record. Has it wait. */
  public Rest rests() {
    if (isBackingOff()) {
      laneOfIt().headRests(); // Before anybody may resume it.
    }
    PARKED.setVolatile(this, true);
    if (!ticket.requeue()) {
      return Rest.TAKEN_BACK;
    }
    // Last: who wants it skipped says so first, and then looks whether it waits.
    return skipWanted && skipWaiting() ? Rest.SKIPPED : Rest.WAITS;
  }

  /**
   * Returns whether the caller is the one to resume the lane of a record that rests. Any thread.
   */
  public boolean unparks() {
    return PARKED.compareAndSet(this, true, false);
  }

  /** Returns the record's key, or null when it has none or the delivery has ended. Any thread. */
  public byte @Nullable [] key() {
    ConsumerRecord<byte[], byte[]> held = record;
    return held == null ? null : held.key();
  }

  /**
   * Who has taken it back. Gives its room in the channel back at once: its lane may hang for long.
   */
  @Override
  public void withdrawn() {
    if (lane != null) {
      lane.inFlight.takeBack(this);
    }
    release();
  }

  PartitionLoad load() {
    return load;
  }

  /**
   * Returns whether what it waits for, or has waited for last, is its next attempt, or its key,
   * whose records need room in the channel before it.
   */
  boolean isBackingOff() {
    return waiting() instanceof Waiting.ForRetry || waiting() instanceof Waiting.ForKey;
  }

  /** Has it count as resting, if it counts in the channel. */
  boolean comesToRest() {
    return PLACE.compareAndSet(this, IN_CHANNEL, RESTING);
  }

  /** Has it count in the channel, if it counts as resting. */
  boolean leavesRest() {
    return PLACE.compareAndSet(this, RESTING, IN_CHANNEL);
  }

  /**
   * Has it count nowhere.
   *
   * @return whether it has counted as resting
   */
  boolean goes() {
    return (int) PLACE.getAndSet(this, GONE) == RESTING;
  }

  /** As {@link #goes()}, while nobody can move it; costs no fence. */
  boolean goesUnmoved() {
    boolean rested = (int) PLACE.get(this) == RESTING;
    PLACE.set(this, GONE);
    return rested;
  }

  /**
   * Returns whether it has left the channel: it was taken back or skipped, or has ended. Its lane's
   * holder.
   */
  public boolean hasEnded() {
    return ticket.isWithdrawn() || ticket.isSkipped() || record == null;
  }

  Lane laneOfIt() {
    Lane offered = lane;
    if (offered == null) {
      throw new IllegalStateException("The delivery was never offered.");
    }
    return offered;
  }

  /** Returns the size of key, value and headers, in bytes. */
  int bytes() {
    return bytes;
  }

  /** Lets go of the payload: an idle or hanging lane may keep its deliveries for long. */
  void release() {
    record = null;
    departure = null;
  }
}
