package dev.millrace.testkit.internal;

import dev.millrace.testkit.TestKitException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A JVM like this one, on the same class path, that can be killed, stopped and continued.
 *
 * <p>It does not outlive its parent: its standard input is a pipe from here, and {@link
 * ParentWatch} ends it when the pipe breaks, which it does even when this process is killed. While
 * it is paused and can't see that, a {@link PausedWatch} sees it.
 *
 * <p>Thread-safe.
 */
public final class ChildJvm implements AutoCloseable {
  private final String name;
  private final Path output;
  private final Process process;

  private @Nullable PausedWatch paused;

  private ChildJvm(String name, Path output, Process process) {
    this.name = name;
    this.output = output;
    this.process = process;
  }

  /** Starts one with the Java that runs this JVM; see the other {@code start}. */
  public static ChildJvm start(
      String name,
      Class<?> main,
      List<String> jvmOptions,
      List<String> arguments,
      Map<String, String> environment,
      Path output) {
    return start(ownJava(), name, main, jvmOptions, arguments, environment, output);
  }

  /** Returns the executable of the Java that runs this JVM. */
  public static Path ownJava() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /**
   * Starts one.
   *
   * @param java the executable
   * @param name for messages
   * @param main the class whose {@code main} runs; it must call {@link ParentWatch#start} first
   * @param jvmOptions such as {@code -Xmx512m}
   * @param environment added to this process's own
   * @param output where standard output and error go, appended
   * @throws TestKitException if it can't be started
   */
  public static ChildJvm start(
      Path java,
      String name,
      Class<?> main,
      List<String> jvmOptions,
      List<String> arguments,
      Map<String, String> environment,
      Path output) {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.addAll(jvmOptions);
    command.add("-classpath");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    builder.environment().putAll(environment);
    try {
      return new ChildJvm(name, output, builder.start());
    } catch (IOException e) {
      throw new TestKitException(
          "Cannot start the process of " + name + " with " + java + ": " + e.getMessage(), e);
    }
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for the process to end; false when it is still there after {@code timeout}. */
  public boolean awaitExit(Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return process.waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Returns how it ended; 137 after SIGKILL.
   *
   * @throws IllegalThreadStateException while it runs
   */
  public int exitValue() {
    return process.exitValue();
  }

  /** Sends SIGKILL and returns when the process is gone. Does nothing when it is already. */
  public synchronized void kill() {
    endPause();
    process.destroyForcibly();
    if (!awaitExit(Duration.ofSeconds(10))) {
      throw new TestKitException(name + " (process " + pid() + ") survives SIGKILL", null);
    }
  }

  /** Sends SIGSTOP: the process stands still, its sockets stay open. */
  public synchronized void pause() {
    if (paused == null) {
      paused = PausedWatch.of(this);
    }
    signal("STOP");
  }

  /** Sends SIGCONT. */
  public synchronized void resume() {
    signal("CONT");
    endPause();
  }

  private synchronized void resumeIfPaused() {
    if (paused != null && isAlive()) {
      resume();
    }
  }

  private void endPause() {
    if (paused != null) {
      paused.close();
      paused = null;
    }
  }

  /** Asks for a thread dump, which the JVM writes into its output. */
  public void requestThreadDump() {
    signal("QUIT");
  }

  /** Asks the process to end by closing its standard input, and returns at once. */
  public void requestStop() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      // The pipe is broken: the process is ending already.
    }
  }

  /**
   * Asks the process to end, and kills it when it does not. Resumes a paused one first.
   *
   * @return whether it ended by itself
   */
  public boolean stop(Duration timeout) {
    resumeIfPaused();
    requestStop();
    boolean ended = awaitExit(timeout);
    if (!ended) {
      kill();
    }
    return ended;
  }

  /** Returns the file with its standard output and error. */
  public Path output() {
    return output;
  }

  /** Returns the last part of what it has written, for messages. */
  public String outputTail() {
    try {
      byte[] all = Files.readAllBytes(output);
      int length = Math.min(all.length, 4_000);
      return new String(all, all.length - length, length, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "(no output: " + e + ")";
    }
  }

  /** Kills it when it still runs. */
  @Override
  public void close() {
    kill();
  }

  private void signal(String signal) {
    if (File.separatorChar == '\\') {
      throw new UnsupportedOperationException("SIG" + signal + " needs a POSIX system");
    }
    try {
      Process kill =
          new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
              .redirectErrorStream(true)
              .start();
      String answer = new String(kill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (kill.waitFor() != 0) {
        throw new TestKitException(
            "Cannot send SIG%s to %s (process %d): %s".formatted(signal, name, pid(), answer),
            null);
      }
    } catch (IOException e) {
      throw new TestKitException("Cannot send SIG" + signal + " to " + name, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestKitException("Interrupted while sending SIG" + signal + " to " + name, e);
    }
  }
}
