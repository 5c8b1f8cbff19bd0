package dev.millrace.internal.channel;

import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.transaction.Departure;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One record on its way from the poll to its end. The poll thread makes it; then it belongs to
 * whoever holds its lane, one at a time.
 *
 * <p>Invariant: a handler's thread is interrupted, or its record given up, only while that handler
 * runs there. Who does it holds the attempt meanwhile, and an attempt that is held does not end.
 */
public final class Delivery implements OffsetTicket.Holder {
  private static final int NOT_IN_HANDLER = 0;
  private static final int IN_HANDLER = 1;
  private static final int HELD = 2;

  private static final VarHandle ATTEMPT;
  private static final VarHandle RUNNER;
  private static final VarHandle PARKED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      ATTEMPT = lookup.findVarHandle(Delivery.class, "attemptState", int.class);
      RUNNER = lookup.findVarHandle(Delivery.class, "runner", Thread.class);
      PARKED = lookup.findVarHandle(Delivery.class, "parked", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final OffsetTicket ticket;
  private final PartitionLoad load;
  private final int bytes;
  private final long queuedNanos;

  private final @Nullable History history;

  private @Nullable ConsumerRecord<byte[], byte[]> record;
  private int attempt = 1;
  private long triedSinceNanos;
  private long firstFailure = -1;
  private @Nullable Departure departure;
  private @Nullable Claimed claimed;

  // Written by the holder for whoever asks what becomes of the record.
  private long startedNanos;
  private volatile @Nullable Thread runner;
  private volatile @Nullable Waiting waiting;
  private volatile boolean leftWorker;
  private volatile boolean skipWanted;

  /** Whether somebody still owes a resume for a wait. */
  @SuppressWarnings("UnusedVariable") // read and written through PARKED
  private volatile boolean parked;

  @SuppressWarnings("UnusedVariable") // read and written through ATTEMPT
  private volatile int attemptState = NOT_IN_HANDLER;

  // Of the poll thread until the record is offered; of who holds the attempt, then of who ended it.
  private boolean interrupted;
  private @Nullable Throwable givenUp;

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
    this.history = history;
    this.record = record;
    this.ticket = ticket;
    this.load = load;
    this.bytes = RecordBytes.of(record);
    this.queuedNanos = queuedNanos;
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

  /**
   * Returns which attempt is running or comes next, from 1; those made before, in other topics, are
   * counted.
   */
  public int attempt() {
    return history == null ? attempt : history.attempts() + attempt;
  }

  /** Returns the same, counted from where it was polled. */
  public int attemptInPlace() {
    return attempt;
  }

  /**
   * Returns when the first attempt in place began. Who has the attempt that fails.
   *
   * @param beganNanos when that one did
   */
  public long triedSince(long beganNanos) {
    if (attempt == 1) {
      triedSinceNanos = beganNanos;
    }
    return triedSinceNanos;
  }

  public void nextAttempt() {
    attempt++;
  }

  /** Returns which retry topic it was polled from, from 1; 0 when it was its own topic. */
  public int level() {
    return history == null ? 0 : history.level();
  }

  /** Returns the partition that it was polled from, which holds its offset; until it ends. */
  public TopicPartition readFrom() {
    return history == null
        ? new TopicPartition(record().topic(), record().partition())
        : history.readFrom();
  }

  /** Worker. Notes that an attempt has failed. */
  public void failed(long epochMillis) {
    if (firstFailure < 0) {
      firstFailure = epochMillis;
    }
  }

  /** Returns when the first attempt failed, in whichever topic; -1 when none has. */
  public long firstFailure() {
    return history == null || history.firstFailure() < 0 ? firstFailure : history.firstFailure();
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
    String failure = how.cause().getClass().getName();
    waiting =
        how.level() == 0
            ? new Waiting.ForDeadLetter(nowNanos, failure)
            : new Waiting.ForRetryTopic(how.level(), nowNanos, failure);
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

  /** Worker, before it parks the lane. */
  public void waitsForMessage(long sinceNanos, String why) {
    waiting = new Waiting.ForMessage(sinceNanos, why);
  }

  /** Worker, before it parks the lane. */
  public void waitsForRetry(long untilNanos, Throwable cause) {
    waiting = new Waiting.ForRetry(untilNanos, cause.getClass().getName());
  }

  /** Worker, before it parks the lane. */
  public void waitsForStart(Waiting.ForStart place) {
    waiting = place;
  }

  /**
   * Worker, in an attempt that is to begin anew in the service's executor: until then nobody has
   * it.
   *
   * @return as {@link #ends()}
   */
  public boolean waitsForExecutor(long nowNanos) {
    waiting = new Waiting.ForExecutor(nowNanos);
    return ends();
  }

  /** The handler's thread, at the start of an attempt; costs no fence. */
  public void runs(long nowNanos) {
    startedNanos = nowNanos;
    if (leftWorker) {
      leftWorker = false;
    }
    RUNNER.setRelease(this, Thread.currentThread());
    if (waiting != null) {
      waiting = null; // Who sees it gone sees the new runner.
    }
    ATTEMPT.setRelease(this, IN_HANDLER); // Last: who holds the attempt knows its runner.
  }

  /** Worker, when the handler goes on without it, and for now without any thread we know of. */
  public void leavesWorker() {
    if (hold()) {
      leftWorker = true;
      runner = null;
      interrupted = false;
      letGo();
    }
  }

  /**
   * Whoever ends the attempt; once it has returned, nobody interrupts the thread for this record.
   * Only the first call of an attempt counts.
   *
   * @return whether the thread was interrupted for this record, and may still have the flag
   */
  public boolean ends() {
    if (!changeAttempt(NOT_IN_HANDLER)) {
      return false;
    }
    boolean was = interrupted;
    interrupted = false;
    return was;
  }

  /** Returns whether an attempt is under way: in its decoder or handler. Any thread. */
  public boolean isInHandler() {
    return (int) ATTEMPT.getAcquire(this) != NOT_IN_HANDLER;
  }

  /**
   * Interrupts the handler's thread, while this record's handler runs there and only then. One
   * thread that is not the handler's.
   *
   * @param began by {@link #startedNanos()}, which attempt is meant
   * @return whether there was a thread to interrupt
   */
  public boolean interrupt(long began) {
    if (!hold(began)) {
      return false;
    }
    try {
      Thread thread = runner;
      interrupted |= thread != null;
      if (thread != null) {
        thread.interrupt();
      }
      return thread != null;
    } finally {
      letGo();
    }
  }

  /**
   * Says, while the handler runs, that whatever it does no longer counts. One thread that is not
   * the handler's.
   *
   * @param began by {@link #startedNanos()}, which attempt is meant
   * @return whether it has been said, now or before; false when the attempt has ended
   */
  public boolean giveUp(long began, Throwable cause) {
    if (!hold(began)) {
      return false;
    }
    givenUp = givenUp == null ? cause : givenUp;
    letGo();
    return true;
  }

  /**
   * Says that no handler is to be called for it, and that it is given up: the poll thread before it
   * offers the record, or who can't have it leave as it was to.
   */
  public void refuse(Throwable cause) {
    givenUp = cause;
    departure = null;
  }

  /** Returns why the record was refused, or given up while it ran, or null. Who has the attempt. */
  public @Nullable Throwable givenUp() {
    return givenUp;
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

  private boolean hold() {
    return changeAttempt(HELD);
  }

  private boolean hold(long began) {
    if (!hold()) {
      return false;
    }
    if (startedNanos != began) {
      letGo();
      return false;
    }
    return true;
  }

  private void letGo() {
    ATTEMPT.setRelease(this, IN_HANDLER);
  }

  /** Waits for who holds the attempt, which is for an instant; false when there is none. */
  private boolean changeAttempt(int next) {
    while (!ATTEMPT.compareAndSet(this, IN_HANDLER, next)) {
      if (!isInHandler()) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  /** Returns whether the attempt goes on without a thread that is known. Any thread. */
  public boolean hasLeftWorker() {
    return leftWorker;
  }

  /** Returns what the record waits for outside of its handler, or null. Any thread. */
  public @Nullable Waiting waiting() {
    return waiting;
  }

  /** Returns who runs the attempt, or ran the last one; null before the first. Any thread. */
  public @Nullable Thread runner() {
    return runner;
  }

  /** Returns when the attempt began, once {@link #runner()} is known. Any thread. */
  public long startedNanos() {
    return startedNanos;
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
      lane.inFlight.remove(this);
    }
    release();
  }

  PartitionLoad load() {
    return load;
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
