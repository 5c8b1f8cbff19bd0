package dev.millrace.internal.runtime;

import dev.millrace.config.HandlerThreads;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Names a consumer's threads, so that a thread dump tells whose they are and what they do. */
public record EngineThreads(String consumer) {

  /** Keeps the JVM alive: a service is running while its consumer is. */
  public Thread poll(Runnable work) {
    return new Thread(work, name("poll"));
  }

  ThreadFactory workers(HandlerThreads kind) {
    return switch (kind) {
      case PLATFORM -> {
        AtomicInteger count = new AtomicInteger();
        yield work -> daemon(work, name("worker-" + count.incrementAndGet()));
      }
      case VIRTUAL -> VirtualThreads.named(name("worker-"));
    };
  }

  ThreadFactory timer() {
    return work -> daemon(work, name("timer"));
  }

  ThreadFactory transactions(int slice) {
    return work -> daemon(work, name("transactions-" + slice));
  }

  ThreadFactory keyLooks() {
    return work -> daemon(work, name("key-looks"));
  }

  ThreadFactory listener() {
    return work -> daemon(work, name("listener"));
  }

  private static Thread daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  private String name(String role) {
    return "millrace-" + consumer + "-" + role;
  }
}
