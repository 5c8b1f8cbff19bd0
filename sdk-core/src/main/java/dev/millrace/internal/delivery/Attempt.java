package dev.millrace.internal.delivery;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.Tries;

/**
 * The attempt that has failed.
 *
 * @param number which one it was, of those in place, from 1
 * @param level the retry topic that the record was read from; 0 for its own topic
 * @param sinceNanos when the first one in place began, in the engine's time
 */
record Attempt(int number, int level, long sinceNanos) {

  /** Who has the attempt, which began when its handler or decoder did. */
  static Attempt of(Delivery delivery) {
    return of(delivery, delivery.startedNanos());
  }

  static Attempt of(Delivery delivery, long beganNanos) {
    Tries tries = delivery.tries();
    return new Attempt(tries.inPlace(), delivery.level(), tries.since(beganNanos));
  }
}
