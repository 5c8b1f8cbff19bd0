package dev.millrace.testkit.cluster;

import java.util.Map;

/**
 * A node the kit starts itself.
 *
 * <p>One caller at a time, but for {@link #running()}, {@link #giveUp()}, {@link #kill()}, {@link
 * #pause()} and {@link #resume()}.
 */
interface LocalNode {
  NodeHome home();

  boolean running();

  /** Returns when the broker serves clients; a quorum of nodes must be running or starting. */
  void start(Map<String, String> properties) throws Exception;

  /**
   * The first half of a stop: the broker hands over and stops serving clients. What the other nodes
   * need of this one for their own first half runs on, as far as the kind can part it.
   */
  void leave() throws Exception;

  /** The second half of a stop. */
  void end() throws Exception;

  /** Makes what another thread waits for here end soon, because the data is not needed any more. */
  void giveUp();

  void kill();

  void pause();

  void resume();
}
