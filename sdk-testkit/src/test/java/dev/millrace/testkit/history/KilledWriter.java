package dev.millrace.testkit.history;

import dev.millrace.testkit.internal.ParentWatch;
import java.nio.file.Path;
import java.time.Duration;

/** Writes notes with rising numbers, in several threads, until it is killed. */
final class KilledWriter {
  private KilledWriter() {}

  public static void main(String[] args) throws Exception {
    ParentWatch.start(() -> {}, Duration.ofSeconds(5));
    History history = History.write(Path.of(args[0]), "killed");
    for (int thread = 0; thread < 2; thread++) {
      String name = "t" + thread;
      new Thread(
              () -> {
                for (long i = 0; ; i++) {
                  history.note(Long.toString(i));
                }
              },
              name)
          .start();
    }
  }
}
