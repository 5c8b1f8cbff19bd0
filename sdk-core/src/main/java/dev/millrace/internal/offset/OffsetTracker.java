package dev.millrace.internal.offset;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
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
  private final TopicPartition partition;
  private final ArrayDeque<OffsetTicket> open = new ArrayDeque<>();

  /**
   * What an earlier owner had done beyond the offset that we started from, and is not polled yet.
   */
  private CompletedAhead doneBefore;

  /** What an earlier owner has committed, where we started from. */
  private @Nullable OffsetAndMetadata found;

  private long first = -1;
  private int epoch = -1;
  private long next;
  private @Nullable OffsetAndMetadata frontier;
  private @Nullable OffsetAndMetadata position;
  private @Nullable OffsetAndMetadata committed;
  private int unsaved;

  /**
   * @param doneBefore read from the committed offset's metadata
   */
  public OffsetTracker(TopicPartition partition, CompletedAhead doneBefore) {
    this.partition = partition;
    this.doneBefore = doneBefore;
  }

  /** Notes the offset that an earlier owner has committed, before the first record. */
  public void startsAt(OffsetAndMetadata found) {
    this.found = found;
  }

  /**
   * Registers a record that has been polled. Records arrive in offset order.
   *
   * @param leaderEpoch the record's, or -1 when the broker did not tell
   * @return null when an earlier owner has done it: it is not to be delivered
   */
  public @Nullable OffsetTicket issue(long offset, int leaderEpoch) {
    readsOnAt(offset);
    first = first < 0 ? offset : first;
    next = offset + 1;
    if (leaderEpoch > epoch) {
      epoch = leaderEpoch;
      if (epoch > doneBefore.epoch()) {
        // From here on the log has other records than those that were done.
        doneBefore = CompletedAhead.NONE;
      }
    }
    if (doneBefore.done().contains(offset)) {
      open.add(OffsetTicket.done(offset, leaderEpoch));
      return null;
    }
    OffsetTicket ticket = new OffsetTicket(offset, leaderEpoch);
    open.add(ticket);
    return ticket;
  }

  /**
   * Notes where the next poll goes on. With nothing open, all before it is finished: markers and
   * compacted records at the end of the log never get a ticket, and must not look like lag.
   */
  public void position(OffsetAndMetadata next) {
    readsOnAt(next.offset());
    position = next;
  }

  /** Notes that the log no longer has what lies between, nor what was done there. */
  public void skipTo(long offset) {
    doneBefore = CompletedAhead.NONE;
    position(new OffsetAndMetadata(offset));
  }

  private void readsOnAt(long offset) {
    next = offset;
    if (offset < doneBefore.committed()) {
      doneBefore = CompletedAhead.NONE;
    }
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
      frontier = new OffsetAndMetadata(last.offset() + 1, epochOf(last), "");
    }
    return open.size();
  }

  /**
   * Returns what a commit may say now, or null when the last one already said it. The offset and
   * what is done beyond it are one snapshot: an end that comes meanwhile can only be missing.
   *
   * @param maxChars how long the metadata may be
   */
  public @Nullable OffsetAndMetadata committable(int maxChars) {
    advance();
    OffsetTicket oldest = open.peek();
    if (frontier == null && oldest == null) {
      return null;
    }
    long offset = frontier == null ? oldest.offset() : frontier.offset();
    CompletedAhead.Saved saved = completedAhead(offset).save(partition, maxChars);
    unsaved = doneFrom(saved.end());
    if (frontier == null && saved.text().isEmpty()) {
      return null;
    }
    OffsetAndMetadata committable =
        frontier != null && saved.text().isEmpty()
            ? frontier
            : new OffsetAndMetadata(
                offset, frontier == null ? epochBefore() : frontier.leaderEpoch(), saved.text());
    return isNews(committable) ? committable : null;
  }

  /**
   * Returns where the next poll goes on, if no commit has said so; else null. For who commits what
   * was polled, whatever becomes of it.
   */
  public @Nullable OffsetAndMetadata uncommittedPosition() {
    return position == null || !isNews(position) ? null : position;
  }

  /**
   * Returns what the last commit has said, ours or that of an earlier owner where we started from;
   * null when there was none. To say it again changes nothing.
   */
  public @Nullable OffsetAndMetadata saved() {
    return committed == null ? found : committed;
  }

  /** Returns whether all that was delivered has ended. */
  public boolean isAllDone() {
    advance();
    return open.isEmpty();
  }

  /**
   * That of the last record before the offset, not a later one's: by it the next owner's client
   * finds out whether an unclean election has cut the log below the offset.
   */
  private static Optional<Integer> epochOf(OffsetTicket last) {
    return last.leaderEpoch() < 0 ? Optional.empty() : Optional.of(last.leaderEpoch());
  }

  /** Of the last record before the offset that we started from, if an earlier owner told. */
  private Optional<Integer> epochBefore() {
    return found == null ? Optional.empty() : found.leaderEpoch();
  }

  private boolean isNews(OffsetAndMetadata next) {
    return committed == null
        || next.offset() > committed.offset()
        || (next.offset() == committed.offset() && !next.metadata().equals(committed.metadata()));
  }

  private CompletedAhead completedAhead(long committed) {
    OffsetRanges.Builder done = new OffsetRanges.Builder();
    long from = -1;
    long to = -1;
    for (OffsetTicket ticket : open) {
      if (ticket.isDone()) {
        from = from < 0 ? ticket.offset() : from;
        to = ticket.offset() + 1;
      } else if (from >= 0) {
        done.add(from, to);
        from = -1;
      }
    }
    if (from >= 0) {
      done.add(from, to);
    }
    OffsetRanges notPolled = doneBefore.doneFrom(next);
    for (int i = 0; i < notPolled.count(); i++) {
      done.add(notPolled.from(i), notPolled.to(i));
    }
    return new CompletedAhead(
        committed, done.build(), notPolled.isEmpty() ? epoch : doneBefore.epoch());
  }

  private int doneFrom(long offset) {
    int done = 0;
    for (Iterator<OffsetTicket> newestFirst = open.descendingIterator(); newestFirst.hasNext(); ) {
      OffsetTicket ticket = newestFirst.next();
      if (ticket.offset() < offset) {
        break;
      }
      done += ticket.isDone() ? 1 : 0;
    }
    return done;
  }

  /** Notes that the broker has acknowledged a commit. */
  public void committed(OffsetAndMetadata offset) {
    if (committed == null || offset.offset() >= committed.offset()) {
      committed = offset;
    }
  }

  /** Returns the first offset delivered; -1 when none was. */
  public long first() {
    return first;
  }

  /** Returns the offset that the next poll takes; empty before the first one. */
  public OptionalLong position() {
    return position == null ? OptionalLong.empty() : OptionalLong.of(position.offset());
  }

  /** Returns the delivered records that the frontier has not passed, in offset order; a view. */
  public Collection<OffsetTicket> open() {
    return Collections.unmodifiableCollection(open);
  }

  /** Returns how many done records the last commit had no room to name. */
  public int unsaved() {
    return unsaved;
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
