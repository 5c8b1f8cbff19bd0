package dev.millrace.internal.offset;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * One delivered record's offset, and how far the record has come. It travels with the record, so
 * that ending a record needs no look-up and no lock.
 *
 * <pre>
 *   QUEUED ⇄ RUNNING → DONE       RUNNING → LAST_RUN → DONE       QUEUED → SKIPPED
 *      ↓        ↓                              ↓
 *  WITHDRAWN  ABANDONED                    ABANDONED
 * </pre>
 *
 * SKIPPED is done, too, but never started. The lower row, and LAST_RUN, are reached only when the
 * partition leaves or the consumer closes. A record in its last run may end well; it will not be
 * tried again.
 *
 * <p>Invariant: once its partition has begun to leave, a ticket never starts again; once it is
 * taken back, it never becomes done. So no record starts after its partition has been given up, and
 * a late end can't move a later owner's offset. Workers call {@code start}, {@code complete} and
 * {@code requeue}; only the poll thread takes back.
 */
public final class OffsetTicket {
  /**
   * What waits for the record while it is queued; told, on the poll thread, that it never will run.
   */
  public interface Holder {
    void withdrawn();
  }

  private static final int QUEUED = 0;
  private static final int RUNNING = 1;
  private static final int LAST_RUN = 2;
  private static final int DONE = 3;
  private static final int WITHDRAWN = 4;
  private static final int ABANDONED = 5;
  private static final int SKIPPED = 6;

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(OffsetTicket.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long offset;
  private final int leaderEpoch;
  private @Nullable Holder holder;

  @SuppressWarnings("UnusedVariable") // read and written through STATE
  private volatile int state = QUEUED;

  OffsetTicket(long offset, int leaderEpoch) {
    this.offset = offset;
    this.leaderEpoch = leaderEpoch;
  }

  /** Returns the ticket of a record that has ended before it was delivered. */
  static OffsetTicket done(long offset, int leaderEpoch) {
    OffsetTicket ticket = new OffsetTicket(offset, leaderEpoch);
    STATE.set(ticket, DONE);
    return ticket;
  }

  /** Poll thread, before the record is handed over. */
  public void heldBy(Holder waiting) {
    holder = waiting;
  }

  /** Returns what was told to wait for the record; null for one that was done before. */
  public @Nullable Holder holder() {
    return holder;
  }

  /** Returns the record's offset. */
  public long offset() {
    return offset;
  }

  /** Returns the record's leader epoch, or -1 when the broker did not tell. */
  int leaderEpoch() {
    return leaderEpoch;
  }

  /** Claims the record for its handler; false when it has been taken back. Any worker. */
  public boolean start() {
    return STATE.compareAndSet(this, QUEUED, RUNNING);
  }

  /** Records the record's end; false when it was taken back while it ran. Any thread, any time. */
  public boolean complete() {
    return STATE.compareAndSet(this, RUNNING, DONE) || STATE.compareAndSet(this, LAST_RUN, DONE);
  }

  /**
   * Puts a running record back, for another attempt or for another thread to begin this one; false
   * when that will not be, because its partition leaves or has left.
   */
  public boolean requeue() {
    if (STATE.compareAndSet(this, RUNNING, QUEUED)) {
      return true;
    }
    STATE.compareAndSet(this, LAST_RUN, ABANDONED);
    return false;
  }

  /**
   * Ends a record that is queued, without a handler; false when it is not queued. Any thread, any
   * time.
   */
  public boolean skip() {
    return STATE.compareAndSet(this, QUEUED, SKIPPED);
  }

  /** Returns whether the record has ended by {@link #skip}. Any thread. */
  public boolean isSkipped() {
    return state == SKIPPED;
  }

  /** Returns whether the record was taken back before it started, or between two attempts. */
  public boolean isWithdrawn() {
    return state == WITHDRAWN;
  }

  /** Returns whether the record was taken back while it ran. */
  public boolean isAbandoned() {
    return state == ABANDONED;
  }

  /** Returns whether the record has ended. Any thread. */
  public boolean isDone() {
    int current = state;
    return current == DONE || current == SKIPPED;
  }

  /** Returns whether the record is in its handler, or its dead letter is on its way. Any thread. */
  public boolean isRunning() {
    int current = state;
    return current == RUNNING || current == LAST_RUN;
  }

  /**
   * Poll thread. Takes the record back if it is not in its handler; else makes this run its last.
   */
  void retire() {
    while (!STATE.compareAndSet(this, RUNNING, LAST_RUN)) {
      if (STATE.compareAndSet(this, QUEUED, WITHDRAWN)) {
        if (holder != null) {
          holder.withdrawn();
        }
        return;
      }
      int current = state;
      if (current != QUEUED && current != RUNNING) {
        return;
      }
    }
  }

  /** Poll thread, after {@link #retire}. Takes the record back from its last run. */
  void abandon() {
    STATE.compareAndSet(this, LAST_RUN, ABANDONED);
  }
}
