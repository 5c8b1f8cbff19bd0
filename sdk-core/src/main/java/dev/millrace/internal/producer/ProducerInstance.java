package dev.millrace.internal.producer;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Kafka client of a named producer, and another one in its place when it can't go on. Any
 * thread.
 *
 * <p>Invariant: there is one client at a time. The next one is made when the last one is closed,
 * and so all records that were sent through it have ended.
 */
final class ProducerInstance {
  private static final Logger LOG = LoggerFactory.getLogger(ProducerInstance.class);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
  private static final long SHORTEST_PAUSE_MS = 1_000;
  private static final long LONGEST_PAUSE_MS = 30_000;

  private final String name;
  private final Supplier<BoundClient> maker;
  private final Runnable onReplacement;
  private volatile BoundClient client;
  private final AtomicBoolean replacing = new AtomicBoolean();

  /** Held to put a client in its place, so that none comes after the close. */
  private final ReentrantLock lifecycle = new ReentrantLock();

  private final CountDownLatch closed = new CountDownLatch(1);

  /**
   * @param onReplacement told of each new client in the place of one that could not go on
   */
  ProducerInstance(String name, Supplier<BoundClient> maker, Runnable onReplacement) {
    this.name = name;
    this.maker = maker;
    this.onReplacement = onReplacement;
    this.client = maker.get();
  }

  /** What the client throws at once arrives in the flight, too. */
  void send(ProducerRecord<byte[], byte[]> message, Flight flight) {
    if (replacing.get()) {
      flight.fail(
          new KafkaException(
              "Producer '%s' is replacing a Kafka client that could not go on. The record was not sent; send it again."
                  .formatted(name)));
      return;
    }
    BoundClient current = client;
    try {
      var unused =
          current
              .producer()
              .send(
                  message,
                  (metadata, failure) -> {
                    if (failure != null) {
                      replaceAfter(failure, current);
                    }
                    flight.onCompletion(metadata, failure);
                  });
    } catch (RuntimeException e) {
      replaceAfter(e, current);
      flight.fail(e);
    }
  }

  /** The client's I/O thread, which can't close the client, or a sending one, which need not. */
  private void replaceAfter(Exception failure, BoundClient failed) {
    if (FatalErrors.isFatal(failure)
        && failed == client
        && closed.getCount() > 0
        && replacing.compareAndSet(false, true)) {
      Thread thread = new Thread(() -> replace(failed, failure), "millrace-" + name + "-replacing");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void replace(BoundClient failed, Exception failure) {
    LOG.warn("Producer '{}': its Kafka client can't go on and is replaced.", name, failure);
    try {
      end(failed);
      // One that has failed soon, as when it may not connect, is likely to do so again.
      long pause = failed.age().toMillis() < LONGEST_PAUSE_MS ? SHORTEST_PAUSE_MS : 0;
      while (!closed.await(pause, TimeUnit.MILLISECONDS) && !putNewClient()) {
        pause = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, 2 * pause));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Nobody does; and then there is no other client.
    } finally {
      replacing.set(false);
    }
  }

  private void end(BoundClient failed) {
    try {
      failed.close(CLOSE_TIMEOUT);
    } catch (RuntimeException e) {
      LOG.warn("Producer '{}': its Kafka client did not close cleanly.", name, e);
    }
  }

  /** Returns false when it is to be tried again. */
  private boolean putNewClient() {
    lifecycle.lock();
    try {
      if (closed.getCount() > 0) {
        client = maker.get();
        onReplacement.run();
      }
      return true;
    } catch (RuntimeException e) {
      LOG.warn("Producer '{}': no other Kafka client could be made; trying again.", name, e);
      return false;
    } finally {
      lifecycle.unlock();
    }
  }

  void flush() {
    client.producer().flush();
  }

  void close(Duration timeout) {
    lifecycle.lock();
    try {
      closed.countDown();
    } finally {
      lifecycle.unlock();
    }
    client.close(timeout);
  }
}
