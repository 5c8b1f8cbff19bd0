package dev.millrace.idempotency;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A store within one process: it knows nothing of what other processes do, nor of what this one did
 * before its start.
 *
 * <p>It is bounded: of more messages done than it has room for, it forgets those first that were
 * done first, and {@link #forgottenEarly} counts them. What is at work is never forgotten before
 * its lease is over.
 */
public final class InMemoryIdempotencyStore implements IdempotencyStore {
  private record Message(String scope, String id) {}

  private record Entry(String holder, long untilNanos) {}

  private final int most;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();

  // Under the lock. In the order in which they came, which is about that in which they go.
  private final LinkedHashMap<Message, Entry> held = new LinkedHashMap<>();
  private final LinkedHashMap<Message, Entry> done = new LinkedHashMap<>();
  private long forgottenEarly;

  private InMemoryIdempotencyStore(int most, LongSupplier nanos) {
    this.most = most;
    this.nanos = nanos;
  }

  /**
   * Returns a store that remembers so many messages done; one takes about 200 bytes and its id.
   *
   * @param messages at least 1
   * @throws IllegalArgumentException when it is less
   */
  public static InMemoryIdempotencyStore ofAtMost(int messages) {
    return ofAtMost(messages, System::nanoTime);
  }

  static InMemoryIdempotencyStore ofAtMost(int messages, LongSupplier nanos) {
    if (messages < 1) {
      throw new IllegalArgumentException(
          "A store of " + messages + " messages remembers none; give it room for 1 at least.");
    }
    return new InMemoryIdempotencyStore(messages, nanos);
  }

  @Override
  public Begun begin(Claim claim) {
    Message message = new Message(claim.scope(), claim.id());
    lock.lock();
    try {
      long now = nanos.getAsLong();
      forgetExpired(done, now);
      forgetExpired(held, now);
      if (current(done, message, now) != null) {
        return new Begun.Done();
      }
      Entry other = current(held, message, now);
      if (other != null && !other.holder().equals(claim.holder())) {
        return new Begun.Held(Duration.ofNanos(other.untilNanos() - now));
      }
      put(held, message, new Entry(claim.holder(), now + claim.lease().toNanos()));
      return new Begun.Granted();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean done(Claim claim) {
    Message message = new Message(claim.scope(), claim.id());
    lock.lock();
    try {
      long now = nanos.getAsLong();
      Entry holds = held.get(message);
      Entry did = current(done, message, now);
      if (did != null || (holds != null && !holds.holder().equals(claim.holder()))) {
        return did != null && did.holder().equals(claim.holder());
      }
      held.remove(message);
      put(done, message, new Entry(claim.holder(), now + claim.retention().toNanos()));
      if (done.size() > most) {
        forgetOldest(now);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void release(Claim claim) {
    Message message = new Message(claim.scope(), claim.id());
    lock.lock();
    try {
      Entry holds = held.get(message);
      if (holds != null && holds.holder().equals(claim.holder())) {
        held.remove(message);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many messages done were forgotten before their retention was over. */
  public long forgottenEarly() {
    lock.lock();
    try {
      return forgottenEarly;
    } finally {
      lock.unlock();
    }
  }

  /** Returns how many messages it knows, at work or done. */
  int size() {
    lock.lock();
    try {
      return held.size() + done.size();
    } finally {
      lock.unlock();
    }
  }

  private void forgetOldest(long now) {
    Iterator<Entry> oldest = done.values().iterator();
    forgottenEarly += oldest.next().untilNanos() - now > 0 ? 1 : 0;
    oldest.remove();
  }

  /** Two for each that may come, so that what has expired does not pile up. */
  private static void forgetExpired(Map<Message, Entry> entries, long now) {
    Iterator<Entry> oldest = entries.values().iterator();
    for (int i = 0; i < 2 && oldest.hasNext() && oldest.next().untilNanos() - now <= 0; i++) {
      oldest.remove();
    }
  }

  private static @Nullable Entry current(Map<Message, Entry> entries, Message message, long now) {
    Entry entry = entries.get(message);
    return entry == null || entry.untilNanos() - now <= 0 ? null : entry;
  }

  private static void put(Map<Message, Entry> entries, Message message, Entry entry) {
    entries.remove(message); // To the end of the order.
    entries.put(message, entry);
  }
}
