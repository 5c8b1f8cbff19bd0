package dev.millrace.testkit.guarantee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Places where a process waits as long as another one wants: a file each, there or not. */
final class Gates {
  private static final long LOOK_EVERY = Duration.ofMillis(5).toNanos();

  private final Path directory;

  Gates(Path directory) {
    this.directory = directory;
  }

  void shut(String gate) {
    try {
      Files.createFile(directory.resolve(gate));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void open(String gate) {
    try {
      Files.delete(directory.resolve(gate));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void pass(String gate) {
    while (Files.exists(directory.resolve(gate))) {
      LockSupport.parkNanos(LOOK_EVERY);
    }
  }
}
