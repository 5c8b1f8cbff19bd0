package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Watches that handlers of one key never overlap, whoever runs them, and that each key's sequence
 * starts at 0 and is first handled without a gap; a sequence already seen may come again.
 * Thread-safe.
 */
final class OrderWatch {
  private static final int MOST_KEPT = 20;

  private final Map<String, Key> keys = new ConcurrentHashMap<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final AtomicLong handled = new AtomicLong();
  private final AtomicLong repeated = new AtomicLong();

  void handle(String name, long sequence, Runnable work) {
    Key key = keys.computeIfAbsent(name, absent -> new Key());
    if (key.inside.incrementAndGet() > 1) {
      violation(name + ": two handlers at the same time at " + sequence);
    }
    long last = key.last.get();
    if (sequence > last + 1) {
      violation(name + ": " + sequence + " came after " + last);
    }
    if (sequence > last) {
      key.last.set(sequence);
    }
    try {
      work.run();
    } finally {
      key.inside.decrementAndGet();
      (sequence > last ? handled : repeated).incrementAndGet();
    }
  }

  /** Returns how many have been handled, each counted once. */
  long handled() {
    return handled.get();
  }

  /** Returns how many came again. */
  long repeated() {
    return repeated.get();
  }

  void assertNoViolation() {
    assertThat(violations).isEmpty();
  }

  void assertAllHandled(int keyCount, int perKey) {
    assertNoViolation();
    assertThat(keys).hasSize(keyCount);
    keys.forEach((name, key) -> assertThat(key.last.get()).as(name).isEqualTo(perKey - 1));
    assertThat(handled()).isEqualTo((long) keyCount * perKey);
  }

  private void violation(String text) {
    if (violations.size() < MOST_KEPT) {
      violations.add(text);
    }
  }

  private static final class Key {
    final AtomicInteger inside = new AtomicInteger();
    final AtomicLong last = new AtomicLong(-1);
  }
}
