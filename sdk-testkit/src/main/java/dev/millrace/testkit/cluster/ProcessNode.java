package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.internal.Poll;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A node in a JVM of its own. */
final class ProcessNode implements LocalNode {
  /**
   * Quick to start and small, at the price of speed nobody asks of a test's broker. The last one
   * keeps a killed JVM from leaving a file behind in the temporary directory.
   */
  private static final List<String> LIGHT =
      List.of(
          "-Xmx512m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:+ExitOnOutOfMemoryError",
          "-Xshare:auto",
          "-XX:-UsePerfData");

  /** Far more than a stop takes: beyond it a thread is stuck, and waiting on would not help. */
  private static final Duration STOP_BOUND = Duration.ofSeconds(25);

  private final NodeHome home;
  private final List<String> jvmOptions;
  private final Duration startBound;

  private volatile @Nullable ChildJvm child;

  ProcessNode(NodeHome home, List<String> jvmOptions, Duration startBound) {
    this.home = home;
    this.jvmOptions = Stream.concat(LIGHT.stream(), jvmOptions.stream()).toList();
    this.startBound = startBound;
  }

  @Override
  public NodeHome home() {
    return home;
  }

  @Override
  public boolean running() {
    ChildJvm last = child;
    return last != null && last.isAlive();
  }

  @Override
  public void start(Map<String, String> properties) throws IOException {
    BrokerFiles files = new BrokerFiles(home.place().directory());
    files.prepare(properties);
    home.lendPorts();
    ChildJvm started =
        ChildJvm.start(
            name(),
            BrokerProcess.class,
            jvmOptions,
            List.of(home.place().directory().toString()),
            Map.of(),
            files.output());
    child = started;
    Poll.until(startBound, () -> files.isReady() || !started.isAlive(), readyOrDead -> readyOrDead);
    if (!files.isReady() || !started.isAlive()) {
      throw failedToStart(started);
    }
  }

  private TestKitException failedToStart(ChildJvm started) {
    String how =
        started.isAlive()
            ? "does not serve clients after " + startBound
            : "ended with status " + started.exitValue();
    started.kill();
    return new TestKitException(
        "%s (process %d) %s. The end of its output:%n%s"
            .formatted(name(), started.pid(), how, started.outputTail()),
        null);
  }

  @Override
  public void leave() {
    ChildJvm leaving = child;
    if (leaving == null || !leaving.isAlive()) {
      return;
    }
    if (!leaving.stop(STOP_BOUND)) {
      throw new TestKitException(
          "%s (process %d) did not stop within %s and was killed. The end of %s:%n%s"
              .formatted(name(), leaving.pid(), STOP_BOUND, leaving.output(), leaving.outputTail()),
          null);
    }
  }

  @Override
  public void end() {
    kill();
    home.holdPorts();
  }

  @Override
  public void giveUp() {
    kill();
  }

  @Override
  public void kill() {
    ChildJvm last = child;
    if (last != null) {
      last.kill();
    }
  }

  @Override
  public void pause() {
    live("paused").pause();
  }

  @Override
  public void resume() {
    live("resumed").resume();
  }

  private ChildJvm live(String what) {
    ChildJvm last = child;
    if (last == null || !last.isAlive()) {
      throw new IllegalStateException(name() + " does not run, so it cannot be " + what);
    }
    return last;
  }

  private String name() {
    return "Kafka node " + home.id();
  }
}
