package dev.millrace.internal.offset;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The delivered and unfinished records of one partition, for one time of owning it. Confined to the
 * poll thread; only the tickets it hands out are touched by others.
 *
 * <p>Invariant: the frontier is past a delivered record only if that record, and every one
 * delivered before it, is done. It counts delivered records, never offsets: compaction and
 * transaction markers leave gaps. A partition that comes back gets a new tracker, so a late end
 * from the old time completes a ticket that nobody looks at any more.
 */
public final class OffsetTracker {
  private final ArrayDeque<OffsetTicket> open = new ArrayDeque<>();
  private @Nullable OffsetAndMetadata frontier;
  private @Nullable OffsetAndMetadata position;
  private long committed = -1;

  /** Registers a delivered record. Records arrive in offset order. */
  public OffsetTicket issue(long offset) {
    OffsetTicket ticket = new OffsetTicket(offset);
    open.add(ticket);
    return ticket;
  }

  /**
   * Notes where the next poll goes on. With nothing open, all before it is finished: markers and
   * compacted records at the end of the log never get a ticket, and must not look like lag.
   */
  public void position(OffsetAndMetadata next) {
    position = next;
  }

  /**
   * Moves the frontier past what is done.
   *
   * @return how many delivered records it has not passed, done ones among them
   */
  public int advance() {
    OffsetTicket last = null;
    for (OffsetTicket head = open.peek(); head != null && head.isDone(); head = open.peek()) {
      last = open.poll();
    }
    if (open.isEmpty() && position != null) {
      frontier = position;
    } else if (last != null) {
      frontier = new OffsetAndMetadata(last.offset() + 1, Optional.empty(), "");
    }
    return open.size();
  }

  /** Returns what a commit may say now, or null when the last one already said it. */
  public @Nullable OffsetAndMetadata committable() {
    advance();
    return frontier != null && frontier.offset() > committed ? frontier : null;
  }

  /** Notes that the broker has acknowledged a commit. */
  public void committed(OffsetAndMetadata offset) {
    committed = Math.max(committed, offset.offset());
  }

  /** Returns whether a record that has just been polled lies before what was polled before. */
  public boolean isBehind(long offset) {
    return position != null && offset < position.offset();
  }

  /** Returns how far the next poll is ahead of the frontier, in offsets. */
  public long ahead() {
    if (position == null) {
      return 0;
    }
    OffsetTicket oldest = open.peek();
    return oldest == null ? 0 : position.offset() - oldest.offset();
  }

  /** Returns the oldest unfinished offset, or -1 when all is finished. */
  public long oldestOpen() {
    OffsetTicket oldest = open.peek();
    return oldest == null ? -1 : oldest.offset();
  }

  /**
   * Sees to it that nothing starts any more: takes back what waits, and makes the runs under way
   * the last ones. From the newest to the oldest: a worker that passes over a record taken back
   * must not find a later one of its key that still starts.
   *
   * @return how many records still run
   */
  public int retire() {
    int running = 0;
    for (Iterator<OffsetTicket> newestFirst = open.descendingIterator(); newestFirst.hasNext(); ) {
      OffsetTicket ticket = newestFirst.next();
      ticket.retire();
      if (ticket.isRunning()) {
        running++;
      }
    }
    return running;
  }

  /** Takes back everything that is not done. */
  public Abandoned takeBack() {
    retire();
    int running = 0;
    int unstarted = 0;
    long oldestRunning = -1;
    for (OffsetTicket ticket : open) {
      ticket.abandon();
      if (ticket.isAbandoned()) {
        oldestRunning = running == 0 ? ticket.offset() : oldestRunning;
        running++;
      } else if (ticket.isWithdrawn()) {
        unstarted++;
      }
    }
    return new Abandoned(running, unstarted, oldestRunning);
  }

  /**
   * What was left undone.
   *
   * @param running records that were in their handler, or failed in it, when they were taken back
   * @param unstarted records that had not started
   * @param oldestRunning the lowest offset of these, or -1
   */
  public record Abandoned(int running, int unstarted, long oldestRunning) {}
}
