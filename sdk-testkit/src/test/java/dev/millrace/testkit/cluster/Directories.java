package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The directories that clusters have on this machine. */
final class Directories {
  private Directories() {}

  /** Of clusters started by this JVM. */
  static Set<Path> ours() throws IOException {
    return of(ProcessHandle.current().pid(), Path.of(System.getProperty("java.io.tmpdir")));
  }

  /** Of clusters started by a process with this temporary directory. */
  static Set<Path> of(long pid, Path temporary) throws IOException {
    String prefix = "millrace-kafka-" + pid + "-";
    try (Stream<Path> all = Files.list(temporary)) {
      return all.filter(path -> path.getFileName().toString().startsWith(prefix))
          .collect(Collectors.toSet());
    }
  }

  /** The directories of partitions on a node's disk, of all clusters of this JVM. */
  static Set<String> topicsOf(ClusterNode node) throws IOException {
    Set<String> names = new HashSet<>();
    for (Path cluster : ours()) {
      Path topics = cluster.resolve("node-" + node.id()).resolve("topics");
      if (Files.exists(topics)) {
        try (Stream<Path> all = Files.list(topics)) {
          all.forEach(path -> names.add(path.getFileName().toString()));
        }
      }
    }
    return names;
  }
}
