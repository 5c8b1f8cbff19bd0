package dev.millrace.testkit.guarantee;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a check found; a {@link Finding} without the name of its guarantee. */
record Violation(String subject, String expected, String found, List<Object> witnesses) {

  /** The witnesses are events, commits, records of the log; those that are null are left out. */
  static Violation of(
      String subject, String expected, String found, @Nullable Object... witnesses) {
    List<Object> there = new ArrayList<>();
    Arrays.stream(witnesses).filter(Objects::nonNull).forEach(there::add);
    return new Violation(subject, expected, found, List.copyOf(there));
  }
}
