package dev.millrace.internal.consumer;

import dev.millrace.consumer.MessageConsumer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A factory's consumers that have not ended: none outlives its factory, and none runs twice in it,
 * since two would share their meters and their client id. Any thread.
 */
public final class RunningConsumers {
  private final Set<String> reserved = ConcurrentHashMap.newKeySet();
  private final Set<MessageConsumer> running = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lifecycle = new ReentrantLock();
  private boolean closed;

  /**
   * Takes a name before anything is made for it.
   *
   * @throws IllegalStateException when the factory is closed, or the name is taken
   */
  void reserve(String name) {
    requireOpen();
    if (!reserved.add(name)) {
      throw new IllegalStateException(
          "Consumer '%s' is already running in this factory; raise its concurrency for more at a time, or close it first."
              .formatted(name));
    }
  }

  /** Gives a name back whose consumer did not start. */
  void release(String name) {
    reserved.remove(name);
  }

  /** Starts a consumer, unless the factory has been closed meanwhile. */
  void start(MessageConsumer consumer, Runnable starter) {
    lifecycle.lock();
    try {
      requireOpen();
      running.add(consumer);
      try {
        starter.run();
      } catch (Throwable notStarted) {
        running.remove(consumer);
        throw notStarted;
      }
    } finally {
      lifecycle.unlock();
    }
  }

  void ended(MessageConsumer consumer) {
    running.remove(consumer);
    reserved.remove(consumer.name());
  }

  private void requireOpen() {
    lifecycle.lock();
    try {
      if (closed) {
        throw new IllegalStateException("The KafkaFactory is closed.");
      }
    } finally {
      lifecycle.unlock();
    }
  }

  /** Closes all of them at the same time, each within its own close time-out. */
  public void close() {
    lifecycle.lock();
    try {
      closed = true;
    } finally {
      lifecycle.unlock();
    }
    List<Thread> closers = new ArrayList<>();
    for (MessageConsumer consumer : running) {
      Thread closer = new Thread(consumer::close, "millrace-" + consumer.name() + "-close");
      closer.start();
      closers.add(closer);
    }
    closers.forEach(RunningConsumers::join);
  }

  private static void join(Thread closer) {
    boolean interrupted = false;
    while (closer.isAlive()) {
      try {
        closer.join(Duration.ofMinutes(1).toMillis());
      } catch (InterruptedException e) {
        interrupted = true;
        closer.interrupt();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
