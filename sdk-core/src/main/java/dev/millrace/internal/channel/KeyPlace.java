package dev.millrace.internal.channel;

/**
 * Whose key a record has, where records follow their key to retry topics. Any thread.
 *
 * @param keys those of the partition that it was polled from
 * @param tag the key
 * @param stays whether it waits for its key where it is, since no retry topic takes it
 */
public record KeyPlace(KeysAhead keys, long tag, boolean stays) {

  /** Returns the same for a record that can't follow. */
  KeyPlace staying() {
    return new KeyPlace(keys, tag, true);
  }

  /** Worker, with the lane of the key. */
  public KeysAhead.Next next() {
    KeysAhead.Next next = keys.next(tag);
    return stays && next == KeysAhead.Next.FOLLOW ? KeysAhead.Next.WAIT : next;
  }

  /**
   * The next retry topic has acknowledged a record of the key. Who holds the lane, before it goes
   * on.
   *
   * @param offset its offset there, or {@link KeysAhead#UNKNOWN}
   */
  public void sent(long offset) {
    keys.sent(tag, offset);
  }
}
