package dev.millrace.internal.channel;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one partition that are ahead of it: records of theirs went on to retry topics, and
 * may not have ended there. A key is known by its tag. Any thread; that a record of a key was sent
 * is told by who holds its lane, and by nobody else.
 *
 * <p>Invariant: while a key is ahead, none of its records in this partition gets to its handler; it
 * follows, or waits. A key is ahead before its lane goes on, and comes back only when a look at the
 * retry topics has found that all that was sent of it has ended. A look does not judge what was
 * sent while it went on, since what brokers have told it may be older.
 *
 * <p>A key whose records keep coming would follow for ever: at each look its last record would just
 * have been sent. So when all that had been sent at the last look has ended, the door is shut: what
 * comes next of the key waits for the next looks, instead of following.
 */
public final class KeysAhead {
  /** In the place of an offset that the broker has not told. */
  public static final long UNKNOWN = -1;

  /** For so many looks a key's next record waits, before it follows after all. */
  private static final int LOOKS_SHUT = 3;

  private static final long NEVER_SEEN = -1;

  private final ConcurrentHashMap<Long, Ahead> keys = new ConcurrentHashMap<>();

  /**
   * How many looks have begun. Read after an acknowledgement, so an older one was before a look.
   */
  private final AtomicInteger looks = new AtomicInteger();

  /** What becomes of a key's next record. */
  public enum Next {
    HANDLE,
    FOLLOW,
    WAIT
  }

  /**
   * @param until the offset behind its last record in the next topic
   * @param seen what that was at the last look
   * @param looksShut for how many looks the door stays shut
   * @param since how many looks had begun when the last record was acknowledged
   */
  private record Ahead(long until, long seen, int looksShut, int since) {}

  Next next(long tag) {
    Ahead ahead = keys.get(tag);
    if (ahead == null) {
      return Next.HANDLE;
    }
    return ahead.looksShut > 0 ? Next.WAIT : Next.FOLLOW;
  }

  /** The next topic has acknowledged a record, at this offset. */
  void sent(long tag, long offset) {
    found(tag, offset == UNKNOWN ? Long.MAX_VALUE : offset + 1);
  }

  /**
   * A record of the key was found ahead, by who is to know before the first one of the partition.
   *
   * @param until the offset behind its last record in the next topic; 0 when it has none there
   */
  public void found(long tag, long until) {
    int since = looks.get();
    keys.compute(
        tag,
        (same, known) ->
            known == null
                ? new Ahead(until, NEVER_SEEN, 0, since)
                : new Ahead(until, known.seen, known.looksShut, since));
  }

  /** A look begins: from here on brokers are asked what {@link #look} is told. */
  public void beginLook() {
    int unused = looks.incrementAndGet();
  }

  /**
   * Looks whether keys have come back. One thread at a time.
   *
   * @param committed in the next topic's partition: all records before it have ended there
   * @param end of the next topic's partition; what was sent beyond it is there no longer
   * @param isFurther of a tag: whether a record of it may not have ended in a topic behind that
   */
  public void look(long committed, long end, LongPredicate isFurther) {
    int now = looks.get();
    keys.forEach(
        (tag, ahead) -> {
          boolean further = isFurther.test(tag);
          if (ahead.since != now && !further && isPast(ahead.until, committed, end)) {
            keys.remove(tag, ahead); // Unless one more was sent meanwhile.
          } else {
            // By what had been sent before this look, whatever came since: else the door would
            // never be shut for a key of which something is sent within each look.
            boolean nearlyBack =
                !further && ahead.seen != NEVER_SEEN && isPast(ahead.seen, committed, end);
            int shut = ahead.looksShut > 0 ? ahead.looksShut - 1 : nearlyBack ? LOOKS_SHUT : 0;
            keys.computeIfPresent(
                tag, (same, sent) -> new Ahead(sent.until, ahead.until, shut, sent.since));
          }
        });
  }

  /** Nobody can look now: what waits at a door follows, so that it does not wait unheard. */
  public void openDoors() {
    keys.replaceAll((tag, ahead) -> new Ahead(ahead.until, ahead.seen, 0, ahead.since));
  }

  /** Returns whether a key may come back soon, if nothing of it lies further on. */
  public boolean anyPast(long committed, long end) {
    return keys.values().stream()
        .anyMatch(
            ahead ->
                isPast(ahead.until, committed, end)
                    || (ahead.seen != NEVER_SEEN && isPast(ahead.seen, committed, end)));
  }

  private static boolean isPast(long until, long committed, long end) {
    return Math.min(until, end) <= committed;
  }

  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /** Returns how many there are. */
  public int size() {
    return keys.size();
  }

  /**
   * Returns where a record stands among them.
   *
   * @param tag null when it has no order
   */
  public @Nullable KeyPlace place(@Nullable Long tag) {
    return tag == null ? null : new KeyPlace(this, tag, false);
  }
}
