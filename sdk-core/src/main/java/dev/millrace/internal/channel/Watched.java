package dev.millrace.internal.channel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What a delivery is to those who watch it: in which thread its handler runs and since when, or
 * what it waits for. It is no object of its own, since each record would pay for that.
 *
 * <p>Invariant: a handler's thread is interrupted, or its record given up, only while that handler
 * runs there. Who does it holds the attempt meanwhile, and an attempt that is held does not end.
 */
abstract class Watched {
  private static final int NOT_IN_HANDLER = 0;
  private static final int IN_HANDLER = 1;
  private static final int HELD = 2;

  private static final VarHandle ATTEMPT;
  private static final VarHandle RUNNER;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      ATTEMPT = lookup.findVarHandle(Watched.class, "attemptState", int.class);
      RUNNER = lookup.findVarHandle(Watched.class, "runner", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  // Written by the holder for whoever asks what becomes of the record.
  private long startedNanos;
  private volatile @Nullable Thread runner;
  private volatile @Nullable Waiting waiting;
  private volatile boolean leftWorker;

  @SuppressWarnings("UnusedVariable") // read and written through ATTEMPT
  private volatile int attemptState = NOT_IN_HANDLER;

  // Of the poll thread until the record is offered; of who holds the attempt, then of who ended it.
  private boolean interrupted;
  private @Nullable Throwable givenUp;

  /** Worker, before it parks the lane. */
  public final void waitsFor(Waiting what) {
    waiting = what;
  }

  /**
   * Worker, in an attempt that is to begin anew in the service's executor: until then nobody has
   * it.
   *
   * @return as {@link #ends()}
   */
  public final boolean waitsForExecutor(long nowNanos) {
    waiting = new Waiting.ForExecutor(nowNanos);
    return ends();
  }

  /** The handler's thread, at the start of an attempt; costs no fence. */
  public final void runs(long nowNanos) {
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
  public final void leavesWorker() {
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
  public final boolean ends() {
    if (!changeAttempt(NOT_IN_HANDLER)) {
      return false;
    }
    boolean was = interrupted;
    interrupted = false;
    return was;
  }

  /** Returns whether an attempt is under way: in its decoder or handler. Any thread. */
  public final boolean isInHandler() {
    return (int) ATTEMPT.getAcquire(this) != NOT_IN_HANDLER;
  }

  /**
   * Interrupts the handler's thread, while this record's handler runs there and only then. One
   * thread that is not the handler's.
   *
   * @param began by {@link #startedNanos()}, which attempt is meant
   * @return whether there was a thread to interrupt
   */
  public final boolean interrupt(long began) {
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
  public final boolean giveUp(long began, Throwable cause) {
    if (!hold(began)) {
      return false;
    }
    givenUp = givenUp == null ? cause : givenUp;
    letGo();
    return true;
  }

  /** While no attempt is under way: as {@link Delivery#refuse}. */
  final void givenUp(Throwable cause) {
    givenUp = cause;
  }

  /** Returns why the record was refused, or given up while it ran, or null. Who has the attempt. */
  public final @Nullable Throwable givenUp() {
    return givenUp;
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
  public final boolean hasLeftWorker() {
    return leftWorker;
  }

  /** Returns what the record waits for outside of its handler, or null. Any thread. */
  public final @Nullable Waiting waiting() {
    return waiting;
  }

  /** Returns who runs the attempt, or ran the last one; null before the first. Any thread. */
  public final @Nullable Thread runner() {
    return runner;
  }

  /** Returns when the attempt began, once {@link #runner()} is known. Any thread. */
  public final long startedNanos() {
    return startedNanos;
  }
}
