package dev.millrace.internal.offset;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One delivered record's offset, and how far the record has come. It travels with the record, so
 * that ending a record needs no look-up and no lock.
 *
 * <pre>
 *   QUEUED ⇄ RUNNING → DONE
 *      ↘       ↓
 *      WITHDRAWN          (the partition was taken away, or the consumer closes)
 * </pre>
 *
 * Invariant: a ticket that is withdrawn never starts again and never becomes done, so no record
 * starts after its partition has been given up, and a late end can't move a later owner's offset.
 * Workers call {@code start}, {@code complete} and {@code requeue}; only the poll thread withdraws.
 */
public final class OffsetTicket {
  private static final int QUEUED = 0;
  private static final int RUNNING = 1;
  private static final int DONE = 2;
  private static final int WITHDRAWN = 3;

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(OffsetTicket.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long offset;

  @SuppressWarnings("UnusedVariable") // read and written through STATE
  private volatile int state = QUEUED;

  OffsetTicket(long offset) {
    this.offset = offset;
  }

  /** Returns the record's offset. */
  public long offset() {
    return offset;
  }

  /** Claims the record for its handler; false when it has been withdrawn. Any worker. */
  public boolean start() {
    return STATE.compareAndSet(this, QUEUED, RUNNING);
  }

  /** Records the record's end; false when it was withdrawn while it ran. Any thread, any time. */
  public boolean complete() {
    return STATE.compareAndSet(this, RUNNING, DONE);
  }

  /** Puts a running record back for another attempt; false when it was withdrawn meanwhile. */
  public boolean requeue() {
    return STATE.compareAndSet(this, RUNNING, QUEUED);
  }

  /** Returns whether the record was taken back. */
  public boolean isWithdrawn() {
    return state == WITHDRAWN;
  }

  boolean isDone() {
    return state == DONE;
  }

  boolean isRunning() {
    return state == RUNNING;
  }

  /** Takes back a record that is not in its handler. */
  void withdrawQueued() {
    STATE.compareAndSet(this, QUEUED, WITHDRAWN);
  }

  /** Takes back a record even while it is in its handler, unless it is done. */
  void withdraw() {
    while (true) {
      int current = state;
      if (current == DONE || STATE.compareAndSet(this, current, WITHDRAWN)) {
        return;
      }
    }
  }
}
