package dev.millrace.internal.consumer;

import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.sql.SQLTransientConnectionException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** A store that fails when it is told to, and says by what threads it was called. */
final class WatchedStore implements IdempotencyStore {
  final InMemoryIdempotencyStore store = InMemoryIdempotencyStore.ofAtMost(1000);
  final AtomicBoolean beginFails = new AtomicBoolean();
  final AtomicBoolean doneFails = new AtomicBoolean();
  final AtomicInteger failures = new AtomicInteger();
  final Queue<String> threads = new ConcurrentLinkedQueue<>();

  /** What goes on while it is asked. */
  volatile Runnable whileAsked = () -> {};

  @Override
  public Begun begin(Claim claim) throws Exception {
    whileAsked.run();
    called(beginFails);
    return store.begin(claim);
  }

  @Override
  public boolean done(Claim claim) throws Exception {
    called(doneFails);
    return store.done(claim);
  }

  @Override
  public void release(Claim claim) {
    threads.add(Thread.currentThread().getName());
    store.release(claim);
  }

  private void called(AtomicBoolean fails) throws SQLTransientConnectionException {
    threads.add(Thread.currentThread().getName());
    if (fails.get()) {
      failures.incrementAndGet();
      throw new SQLTransientConnectionException("The database is down.");
    }
  }

  @Override
  public String toString() {
    return "the watched store";
  }
}
