package dev.millrace.testkit.cluster;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.proxy.FaultProxy;

/**
 * One broker of a {@link KafkaCluster}, to be stopped, started and disturbed.
 *
 * <p>What the cluster's kind cannot do throws {@link UnsupportedOperationException}, which names
 * the kinds that can: every kind tells {@link #id()}; embedded nodes can be stopped, started and
 * wiped; process nodes can do everything.
 *
 * <p>Ports stay the node's own whatever happens to it.
 *
 * <p>Thread-safe. Of starts, stops and wipes one runs at a time in a cluster, others wait for it;
 * {@link #kill()}, {@link #pause()} and {@link #resume()} wait for nothing. All but {@link #id()}
 * and {@link #running()} throw {@link IllegalStateException} once the cluster is closed.
 */
public interface ClusterNode {
  /** Returns the broker's id as clients see it; 1 and up where the kit starts the nodes. */
  int id();

  /** Returns whether the broker is there, even if it is paused. */
  boolean running();

  /**
   * Stops the broker in order: it hands its partitions over as far as others can take them, closes
   * its files and leaves. Resumes a paused one first. Does nothing when it does not run.
   *
   * @throws TestKitException if it does not end within 30 s
   */
  void stop();

  /**
   * Starts the broker on what its disk holds and returns when it serves clients, for which a
   * majority of the nodes must run: when fewer do, use {@link KafkaCluster#startBroker()}, which
   * starts all at once. Does nothing when it runs.
   *
   * @throws TestKitException if it does not start within the cluster's start timeout; then it is
   *     stopped
   */
  void start();

  /** Sends SIGKILL and returns when the process is gone. Does nothing when it does not run. */
  void kill();

  /**
   * Sends SIGSTOP: the broker stands still with its connections open.
   *
   * @throws IllegalStateException when it does not run
   */
  void pause();

  /**
   * Sends SIGCONT. Does nothing to a broker that is not paused.
   *
   * @throws IllegalStateException when it does not run
   */
  void resume();

  /**
   * Returns what stands between this broker and its clients, to have it misbehave.
   *
   * @throws IllegalStateException if the builder was not told {@link KafkaClusterBuilder#proxied}
   */
  FaultProxy proxy();

  /**
   * Empties the disk that holds the topics, as if it had been replaced. The cluster's metadata,
   * which a node must not forget, lies on another.
   *
   * @throws IllegalStateException while the node runs
   */
  void wipe();
}
