package dev.millrace.testkit.cluster;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what is still open when the JVM is told to end, by SIGTERM for one. */
final class AtExit {
  private static final Logger LOG = LoggerFactory.getLogger(AtExit.class);

  private final Thread hook;

  private AtExit(Thread hook) {
    this.hook = hook;
  }

  static AtExit close(Backend backend) {
    Thread hook = new Thread(() -> closeNow(backend), "millrace-kafka-at-exit");
    Runtime.getRuntime().addShutdownHook(hook);
    return new AtExit(hook);
  }

  /** To be called when it has been closed otherwise. */
  void cancel() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending: the hook runs, and finds it closed.
    }
  }

  private static void closeNow(Backend backend) {
    try {
      backend.close();
    } catch (RuntimeException e) {
      LOG.warn("A Kafka that was still open at the end of the JVM could not be closed", e);
    }
  }
}
