package dev.millrace.config;

import java.util.Locale;

/** The one form behind kebab-case, camelCase, PascalCase and snake_case. */
final class Spelling {
  private Spelling() {}

  /** Equal for all spellings of one name. */
  static String folded(String name) {
    return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
  }

  /** The spelling shown to users: {@code AT_LEAST_ONCE} is {@code at-least-once}. */
  static String kebab(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
