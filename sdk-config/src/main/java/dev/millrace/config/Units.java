package dev.millrace.config;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads numbers with a unit. */
final class Units {
  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,15}) ?([A-Za-z]{1,2})");
  private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");

  private static final Map<String, Duration> DURATIONS =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1));

  private static final Map<String, Long> SIZES =
      Map.of("b", 1L, "kb", 1L << 10, "mb", 1L << 20, "gb", 1L << 30);

  private Units() {}

  /** {@code 100ms}, {@code 5s}, {@code 1m}, {@code 2h}, or ISO-8601 as in {@code PT5S}. */
  static @Nullable Duration duration(String text) {
    try {
      Matcher matcher = NUMBER_AND_UNIT.matcher(text);
      if (matcher.matches()) {
        Duration unit = DURATIONS.get(matcher.group(2).toLowerCase(Locale.ROOT));
        return unit == null ? null : unit.multipliedBy(Long.parseLong(matcher.group(1)));
      }
      return Duration.parse(text);
    } catch (DateTimeException | ArithmeticException e) {
      return null;
    }
  }

  /** {@code 64MB}, {@code 512KB}, {@code 1GB} in steps of 1024, or a plain number of bytes. */
  static @Nullable Long bytes(String text) {
    if (NUMBER.matcher(text).matches()) {
      return Long.valueOf(text);
    }
    try {
      Matcher matcher = NUMBER_AND_UNIT.matcher(text);
      Long unit = matcher.matches() ? SIZES.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
      return unit == null ? null : Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
    } catch (ArithmeticException e) {
      return null;
    }
  }
}
