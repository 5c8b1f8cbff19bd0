package dev.millrace;

/**
 * Does something when the JVM begins to shut down, on SIGTERM or {@link System#exit}; not when it
 * is killed. Any thread.
 */
final class ShutdownHook {
  private final Thread thread;

  private ShutdownHook(Thread thread) {
    this.thread = thread;
  }

  /**
   * Has the action run at the shutdown, on a thread of its own, beside other hooks.
   *
   * @throws IllegalStateException when the JVM shuts down already
   */
  static ShutdownHook register(Runnable action) {
    Thread thread = new Thread(action, "millrace-shutdown");
    Runtime.getRuntime().addShutdownHook(thread);
    return new ShutdownHook(thread);
  }

  /** Takes the action away; without effect once the JVM shuts down. */
  void remove() {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(thread);
    } catch (IllegalStateException shuttingDown) {
      // Then the hook is not to be removed: it runs, and may be the caller.
    }
  }
}
