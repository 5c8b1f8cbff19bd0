package dev.millrace.idempotency;

import java.time.Duration;

/** What a store says to a {@link Claim}. */
public sealed interface Begun {

  /** The holder is to handle the message. */
  record Granted() implements Begun {}

  /** The message has been handled: it is not to be handled again. */
  record Done() implements Begun {}

  /**
   * Another holder has it: it is neither handled nor done.
   *
   * @param left how long its lease lasts, from now; it may be done or released earlier
   */
  record Held(Duration left) implements Begun {}
}
