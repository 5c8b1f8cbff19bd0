package dev.millrace.internal.channel;

import org.jspecify.annotations.Nullable;

/**
 * Says, and checks, that something belongs to one thread: the first that touches it. State without
 * locks is only as good as this rule.
 */
public final class Confinement {
  private final String what;
  private volatile @Nullable Thread owner;

  /**
   * @param what the confined thing, for the error's text
   */
  public Confinement(String what) {
    this.what = what;
  }

  /**
   * Passes on the owner's thread.
   *
   * @throws IllegalStateException on any other, naming both
   */
  public void check() {
    Thread current = Thread.currentThread();
    Thread known = owner;
    if (known == null) {
      owner = current;
    } else if (known != current) {
      throw new IllegalStateException(
          "%s belongs to thread '%s', but thread '%s' touched it."
              .formatted(what, known.getName(), current.getName()));
    }
  }
}
