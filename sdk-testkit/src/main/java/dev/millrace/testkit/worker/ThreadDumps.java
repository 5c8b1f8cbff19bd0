package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.internal.Poll;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Gets thread dumps out of a JVM, which writes them into its output. */
final class ThreadDumps {
  private static final Duration BOUND = Duration.ofSeconds(10);

  /** Threads, then deadlocks, then the heap, whose last part is the metaspace. */
  private static final Pattern DUMP =
      Pattern.compile("Full thread dump.*?\\n *Metaspace[^\\n]*\\n", Pattern.DOTALL);

  private ThreadDumps() {}

  /**
   * Asks for a dump and returns it when it is whole.
   *
   * @param isUp whether the JVM can be asked; before, the signal would end it
   * @throws TestKitException if none comes
   */
  static String of(ChildJvm jvm, BooleanSupplier isUp, String name) {
    if (!Poll.until(BOUND, isUp::getAsBoolean, up -> up)) {
      throw new TestKitException(name + " is not up after " + BOUND, null);
    }
    try {
      long before = Files.size(jvm.output());
      jvm.requestThreadDump();
      return Poll.until(BOUND, () -> find(jvm.output(), before), Optional::isPresent)
          .orElseThrow(
              () ->
                  new TestKitException(
                      "No thread dump of %s within %s; is it paused?".formatted(name, BOUND),
                      null));
    } catch (IOException e) {
      throw new TestKitException("Cannot read the output of " + name, e);
    }
  }

  private static Optional<String> find(Path output, long from) {
    try (InputStream input = Files.newInputStream(output)) {
      input.skipNBytes(from);
      String added = new String(input.readAllBytes(), StandardCharsets.UTF_8);
      return DUMP.matcher(added).results().map(MatchResult::group).findFirst();
    } catch (IOException e) {
      throw new TestKitException("Cannot read " + output, e);
    }
  }
}
