package dev.millrace.internal.channel;

import dev.millrace.internal.offset.OffsetTicket;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * One record on its way from the poll to its end. The poll thread makes it; then it belongs to
 * whoever holds its lane, one at a time.
 */
public final class Delivery implements OffsetTicket.Holder {
  private final OffsetTicket ticket;
  private final long queuedNanos;

  private @Nullable ConsumerRecord<byte[], byte[]> record;
  private int attempt = 1;
  private @Nullable Throwable deadLetterCause;

  // The scheduler's own.
  @Nullable Lane lane;
  @Nullable Delivery next;

  /**
   * @param record as polled, still bytes
   * @param ticket its offset's ticket
   * @param queuedNanos when it was polled, in {@link System#nanoTime()}'s time
   */
  public Delivery(ConsumerRecord<byte[], byte[]> record, OffsetTicket ticket, long queuedNanos) {
    this.record = record;
    this.ticket = ticket;
    this.queuedNanos = queuedNanos;
    ticket.heldBy(this);
  }

  /** Returns the record; it is gone once the delivery has ended. */
  public ConsumerRecord<byte[], byte[]> record() {
    ConsumerRecord<byte[], byte[]> held = record;
    if (held == null) {
      throw new IllegalStateException("The delivery at offset " + ticket.offset() + " has ended.");
    }
    return held;
  }

  public OffsetTicket ticket() {
    return ticket;
  }

  public long queuedNanos() {
    return queuedNanos;
  }

  /** Returns which attempt is running or comes next, from 1. */
  public int attempt() {
    return attempt;
  }

  public void nextAttempt() {
    attempt++;
  }

  /** Returns why the record goes to the dead-letter topic, or null when it does not. */
  public @Nullable Throwable deadLetterCause() {
    return deadLetterCause;
  }

  /** Decides for the dead-letter topic; whenever the lane resumes, the send is tried again. */
  public void deadLetter(Throwable cause) {
    deadLetterCause = cause;
  }

  /** Poll thread. Gives its room in the channel back at once: its lane may hang for long. */
  @Override
  public void withdrawn() {
    if (lane != null) {
      lane.inFlight.remove(this);
    }
    release();
  }

  /** Returns the size of key and value, in bytes. */
  int bytes() {
    ConsumerRecord<byte[], byte[]> held = record();
    return Math.max(0, held.serializedKeySize()) + Math.max(0, held.serializedValueSize());
  }

  /** Lets go of the payload: an idle or hanging lane may keep its deliveries for long. */
  void release() {
    record = null;
    deadLetterCause = null;
  }
}
