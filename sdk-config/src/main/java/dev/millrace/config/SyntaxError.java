package dev.millrace.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * What a parser says about broken syntax, without its class names and the piece of the file it
 * likes to quote.
 *
 * @param line counted from 1; 0 when the parser does not know
 */
record SyntaxError(String message, int line, int column, @Nullable String hint) {
  private static final String BARE_PLACEHOLDER =
      "within { } and [ ] a value with a placeholder needs quotes, as in \"${NAME}\"";

  /**
   * @param text that was parsed
   */
  static SyntaxError of(JsonProcessingException e, String text) {
    if (e.getCause() instanceof MarkedYAMLException yaml && yaml.getProblemMark() != null) {
      Mark mark = yaml.getProblemMark();
      return new SyntaxError(
          clean(yaml.getProblem()),
          mark.getLine() + 1,
          mark.getColumn() + 1,
          isPlaceholder(text, mark.getIndex()) ? BARE_PLACEHOLDER : null);
    }
    JsonLocation location = e.getLocation();
    return location == null
        ? new SyntaxError(clean(e.getOriginalMessage()), 0, 0, null)
        : new SyntaxError(
            clean(e.getOriginalMessage()), location.getLineNr(), location.getColumnNr(), null);
  }

  /**
   * Within braces YAML ends a plain value before the next one, so it stumbles over a placeholder's.
   *
   * @param brace the place of what the parser did not expect, counted in code points
   */
  private static boolean isPlaceholder(String text, int brace) {
    return brace > 0
        && brace < text.codePointCount(0, text.length())
        && text.startsWith("${", text.offsetByCodePoints(0, brace) - 1);
  }

  private static String clean(@Nullable String message) {
    if (message == null) {
      return "cannot be parsed";
    }
    String line = message.lines().findFirst().orElse("");
    return "cannot be parsed: " + line.replaceAll(", from `[^`]*`|, got this instead: .*", "");
  }
}
