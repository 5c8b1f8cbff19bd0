package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The JVMs that this one has started. */
final class Processes {
  private Processes() {}

  static List<ProcessHandle> children() {
    return ProcessHandle.current().children().filter(Processes::isJvm).toList();
  }

  /** How much memory they have together, in MiB; 0 where the system does not tell. */
  static long residentMib() {
    return children().stream().mapToLong(child -> residentKib(child.pid())).sum() / 1024;
  }

  private static boolean isJvm(ProcessHandle process) {
    // Its arguments are too long for the system to tell; its program is enough.
    return process.info().command().orElse("").endsWith("java");
  }

  private static long residentKib(long pid) {
    Path status = Path.of("/proc", Long.toString(pid), "status");
    if (Files.notExists(status)) {
      return 0;
    }
    try {
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
