package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Defines a worker. Not thread-safe. */
public final class WorkerBuilder {
  private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9._-]+");

  private final Class<? extends Worker> worker;
  private final Map<String, String> arguments = new TreeMap<>();
  private final List<String> jvmOptions = new ArrayList<>();
  private String name;
  private Path java = ChildJvm.ownJava();
  private @Nullable Path directory;
  private @Nullable KillAt killAt;

  WorkerBuilder(Class<? extends Worker> worker) {
    this.worker = worker;
    this.name = worker.getSimpleName();
    requireLoadable();
  }

  /** Sets the name, of letters, digits, dots, dashes and underscores; without, the class's. */
  public WorkerBuilder name(String name) {
    if (!FILE_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "A worker's name is a file's: letters, digits, '.', '_' and '-', not '" + name + "'");
    }
    this.name = name;
    return this;
  }

  /** Gives the worker an argument; a later one of the same name replaces it. */
  public WorkerBuilder argument(String name, Object value) {
    arguments.put(name, value.toString());
    return this;
  }

  /** Adds an option of the JVM, such as {@code -Xmx256m}. */
  public WorkerBuilder jvmOption(String option) {
    jvmOptions.add(option);
    return this;
  }

  /** Sets the Java executable; without, the one that runs this JVM. */
  public WorkerBuilder java(Path executable) {
    java = executable;
    return this;
  }

  /**
   * Sets an existing directory for the files of all lives, which stay there; without, they are in a
   * temporary one that goes with {@link WorkerProcess#close()}.
   */
  public WorkerBuilder directory(Path directory) {
    this.directory = directory;
    return this;
  }

  /**
   * Has the first life end when it passes a point for the nth time, see {@link
   * WorkerContext#killPoint}. A later call replaces it.
   *
   * @param nth counted from 1, over all threads
   */
  public WorkerBuilder killAt(String point, int nth) {
    killAt = new KillAt(point, nth);
    return this;
  }

  /**
   * Starts the first life and returns without waiting for it to be ready.
   *
   * @throws TestKitException if it can't be started; no process is left then
   */
  public WorkerProcess start() {
    return WorkerProcess.start(
        new WorkerDefinition(name, worker.getName(), arguments, jvmOptions, java),
        killAt,
        directory);
  }

  private void requireLoadable() {
    boolean inner = worker.getEnclosingClass() != null && !Modifier.isStatic(worker.getModifiers());
    if (worker.isHidden() || inner || !hasPlainConstructor()) {
      throw new IllegalArgumentException(
          worker.getName()
              + " can't be made from its name in another JVM; it must be a top-level or a static"
              + " nested class with a constructor without parameters");
    }
  }

  private boolean hasPlainConstructor() {
    for (var constructor : worker.getDeclaredConstructors()) {
      if (constructor.getParameterCount() == 0) {
        return !Modifier.isAbstract(worker.getModifiers());
      }
    }
    return false;
  }
}
