package dev.millrace.internal.delivery;

import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.Oversize;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is left out of a dead letter that its topic has no room for: one part after the other, each
 * time it turns out that the rest is still too large. Pure.
 */
public final class Trimming {
  /** In the order in which they go. */
  private static final List<String> PARTS =
      List.of("exception-message", "exception-class", "headers", "value", "key");

  private static final int MESSAGE = 1;
  private static final int CLASS = 2;
  private static final int HEADERS = 3;
  private static final int VALUE = 4;
  private static final int KEY = 5;

  private Trimming() {}

  /**
   * Returns how many parts may be left out.
   *
   * @param definition null when there are no dead letters
   */
  public static int most(@Nullable DeadLetterDefinition definition) {
    return definition != null && definition.oversize() == Oversize.REFERENCE ? KEY : HEADERS;
  }

  static boolean hasMessage(int cut) {
    return cut < MESSAGE;
  }

  static boolean hasClass(int cut) {
    return cut < CLASS;
  }

  /** Whether it has the headers that the record came with. */
  static boolean hasHeaders(int cut) {
    return cut < HEADERS;
  }

  static boolean hasValue(int cut) {
    return cut < VALUE;
  }

  static boolean hasKey(int cut) {
    return cut < KEY;
  }

  /** Returns the names of what is left out. */
  static String named(int cut) {
    return String.join(",", PARTS.subList(0, cut));
  }
}
