package dev.millrace.testkit.history;

import dev.millrace.testkit.internal.ParentWatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * Writes notes with rising numbers, in two threads, until it is killed; tells by a file when the
 * one has written {@link #TOLD} and the other has begun.
 */
final class KilledWriter {
  static final int TOLD = 1_000;

  private KilledWriter() {}

  public static void main(String[] args) {
    ParentWatch.start(() -> {}, Duration.ofSeconds(5));
    History history = History.write(Path.of(args[0]), "killed");
    CountDownLatch otherWrites = new CountDownLatch(1);
    new Thread(
            () -> {
              long next = write(history, 0, 1);
              otherWrites.countDown();
              write(history, next);
            },
            "t1")
        .start();
    new Thread(
            () -> {
              long next = write(history, 0, TOLD);
              await(otherWrites);
              tell(Path.of(args[1]));
              write(history, next);
            },
            "t0")
        .start();
  }

  private static void write(History history, long from) {
    write(history, from, Long.MAX_VALUE);
  }

  private static long write(History history, long from, long to) {
    for (long i = from; i < to; i++) {
      history.note(Long.toString(i));
    }
    return to;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void tell(Path file) {
    try {
      Files.createFile(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
