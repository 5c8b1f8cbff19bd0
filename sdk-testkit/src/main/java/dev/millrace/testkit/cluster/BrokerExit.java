package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.server.fault.FaultHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a broker that gives up from ending the JVM the tests run in.
 *
 * <p>A broker exits the process on fatal faults. Here it would take the tests down without a word,
 * so both of its ways out become an error in the log and an exception in the broker's own thread.
 */
final class BrokerExit {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerExit.class);

  private BrokerExit() {}

  /**
   * Takes effect for every broker of this JVM. It is never put back: a broker's thread that
   * outlives its broker must not find the real exit again.
   */
  static void disarm() {
    Exit.setExitProcedure(BrokerExit::refuse);
    Exit.setHaltProcedure(BrokerExit::refuse);
  }

  /**
   * A handler for broker faults that reports and, when the fault is fatal, stops only its thread.
   */
  static FaultHandler handler(String name, boolean fatal, Runnable action) {
    return (message, cause) -> {
      if (fatal) {
        LOG.error("Embedded broker, fatal fault in {}: {}", name, message, cause);
      } else {
        LOG.warn("Embedded broker, fault in {}: {}", name, message, cause);
      }
      action.run();
      return new TestKitException(name + ": " + message, cause);
    };
  }

  private static void refuse(int status, @Nullable String message) {
    LOG.error("An embedded broker wanted to exit the JVM with status {}: {}", status, message);
    throw new TestKitException(
        "The embedded broker gave up (exit status " + status + "): " + message, null);
  }
}
