package dev.millrace.testkit.worker;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is the same in each life of a worker. */
record WorkerDefinition(
    String name,
    String workerClass,
    Map<String, String> arguments,
    List<String> jvmOptions,
    Path java) {
  WorkerDefinition {
    arguments = Map.copyOf(arguments);
    jvmOptions = List.copyOf(jvmOptions);
  }

  /** Starts a life, its files in a directory of its own under the given one. */
  Life start(int number, @Nullable KillAt killAt, Path directory) {
    return Life.start(
        new LifeDefinition(name, number, workerClass, arguments, killAt),
        java,
        jvmOptions,
        directory.resolve(name + "-" + number));
  }
}
