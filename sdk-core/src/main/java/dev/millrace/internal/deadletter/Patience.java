package dev.millrace.internal.deadletter;

import dev.millrace.errors.MillraceException;
import java.time.Duration;

/** How long brokers that are asked for records may be silent. Of one thread. */
final class Patience {
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

  private final Scope scope;
  private long heardNanos = System.nanoTime();

  Patience(Scope scope) {
    this.scope = scope;
  }

  /**
   * Notes what a poll has brought.
   *
   * @throws MillraceException when the last polls have brought nothing for too long
   */
  void polled(boolean something) {
    if (something) {
      heardNanos = System.nanoTime();
    } else if (System.nanoTime() - heardNanos > LONGEST_SILENCE.toNanos()) {
      throw new MillraceException(
          "%s: for %d s the brokers have brought none of the dead letters that they have; look at them and call again."
              .formatted(scope.owner(), LONGEST_SILENCE.toSeconds()),
          null);
    }
  }
}
