package dev.millrace.testkit.internal;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Wakes a paused process when this JVM ends, however it does: a process that stands still cannot
 * see that its parent is gone, and would stand there for ever. Awake, it ends by {@link
 * ParentWatch}.
 *
 * <p>It is a shell that waits for a line: the line ends it, the end of its input makes it wake the
 * process. Signals that end a whole group of processes must not end it first.
 *
 * <p>Not thread-safe.
 */
final class PausedWatch implements AutoCloseable {
  private static final String SCRIPT = "trap '' HUP INT TERM; read -r resumed || kill -CONT \"$0\"";

  private final Process shell;

  private PausedWatch(Process shell) {
    this.shell = shell;
  }

  static PausedWatch of(ChildJvm child) {
    try {
      return new PausedWatch(
          new ProcessBuilder("sh", "-c", SCRIPT, Long.toString(child.pid()))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start());
    } catch (IOException e) {
      throw new TestKitException("Cannot watch over process " + child.pid(), e);
    }
  }

  /** Lets the process live; to be called before it is killed and its id becomes another's. */
  @Override
  public void close() {
    try {
      shell.getOutputStream().write('\n');
      shell.getOutputStream().close();
      shell.waitFor(10, TimeUnit.SECONDS);
    } catch (IOException e) {
      // The shell is gone already.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
