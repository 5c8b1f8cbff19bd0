package dev.millrace.testkit.fault;

import java.time.Duration;
import java.util.Locale;
import java.util.SplittableRandom;

/** A range of durations, both ends in it, in whole milliseconds. */
record Span(long shortest, long longest) {
  static Span of(String what, Duration shortest, Duration longest, long least) {
    Span span = new Span(shortest.toMillis(), longest.toMillis());
    if (span.shortest < least || span.longest < span.shortest) {
      throw new IllegalArgumentException(
          "%s from %s to %s can't be; it starts at %d ms or more and ends no earlier than it starts"
              .formatted(what, shortest, longest, least));
    }
    return span;
  }

  /** Draws a duration that is not above {@code limit}, which must not be below the shortest. */
  long draw(SplittableRandom random, long limit) {
    return shortest + below(random, Math.min(longest, limit) - shortest + 1);
  }

  /** Draws from 0 to below the bound. What a seed gives rests on {@code nextLong} alone. */
  static long below(SplittableRandom random, long bound) {
    return Math.floorMod(random.nextLong(), bound);
  }

  /** Returns a duration as {@code 2.300s}. */
  static String text(Duration duration) {
    return String.format(Locale.ROOT, "%d.%03ds", duration.toSeconds(), duration.toMillisPart());
  }
}
