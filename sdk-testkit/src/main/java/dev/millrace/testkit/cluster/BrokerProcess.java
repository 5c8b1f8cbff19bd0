package dev.millrace.testkit.cluster;

import dev.millrace.testkit.internal.ParentWatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import kafka.server.StandardFaultHandlerFactory;
import org.apache.kafka.server.ServerSocketFactory;

/**
 * The main class of a node's own JVM. Its only argument is the node's directory.
 *
 * <p>A fatal fault ends the process, as it does in production.
 */
final class BrokerProcess {
  /** Less than the parent waits, so that the process says itself what hangs. */
  private static final Duration STOP_BOUND = Duration.ofSeconds(20);

  private static final int FAILED = 1;

  private BrokerProcess() {}

  public static void main(String[] arguments) {
    CompletableFuture<BrokerServers> started = new CompletableFuture<>();
    ParentWatch.start(() -> stop(started), STOP_BOUND);
    BrokerFiles files = new BrokerFiles(Path.of(arguments[0]));
    try {
      BrokerServers servers =
          new BrokerServers(
              files.read(), new StandardFaultHandlerFactory(), ServerSocketFactory.INSTANCE);
      servers.start();
      started.complete(servers);
      files.sayReady();
    } catch (Throwable t) {
      t.printStackTrace();
      Runtime.getRuntime().halt(FAILED);
    }
  }

  /** A start under way has nothing to lose, and nobody waits for a broker whose parent is gone. */
  private static void stop(CompletableFuture<BrokerServers> started) {
    if (!started.isDone() || ParentWatch.parentIsGone()) {
      Runtime.getRuntime().halt(0);
    }
    BrokerServers servers = started.join();
    servers.stopBroker();
    servers.stopController();
  }
}
