package dev.millrace.internal.command;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.errors.WakeupException;

/**
 * A poll whose wait others may end.
 *
 * <p>The Kafka consumer's wake-up is no more than a flag that the next waiting call finds, and that
 * may not be the poll it was meant for: a rebalance inside the poll commits, and a wake-up may come
 * just when the poll has returned. So a poll is woken at most once, no other call is woken on
 * purpose, and each that may find the flag is made through {@link #unwoken}. Polls that find an old
 * flag return early; the client never throws records away for it.
 */
public final class WakeablePoll {
  private final Consumer<byte[], byte[]> consumer;
  private final AtomicBoolean wakeable = new AtomicBoolean();

  public WakeablePoll(Consumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  /**
   * Poll thread.
   *
   * @param noWait whether there is something else to do, which is seen to after the poll
   */
  public ConsumerRecords<byte[], byte[]> poll(Duration wait, BooleanSupplier noWait) {
    wakeable.set(true);
    try {
      // Asked after the flag is up: who brings work later sees it and wakes us.
      return consumer.poll(noWait.getAsBoolean() ? Duration.ZERO : wait);
    } catch (WakeupException woken) {
      return ConsumerRecords.empty();
    } finally {
      wakeable.set(false);
    }
  }

  /** Any thread. Ends the wait of the poll that is under way, if there is one. */
  public void wake() {
    if (wakeable.compareAndSet(true, false)) {
      consumer.wakeup();
    }
  }

  /** Makes a call that waits for a broker, and again when a wake-up meant for a poll has hit it. */
  public static <T> T unwoken(Supplier<T> call) {
    while (true) {
      try {
        return call.get();
      } catch (WakeupException meantForAPoll) {
        // Once for an earlier poll, once for the one that we are in: then there is no more.
      }
    }
  }
}
