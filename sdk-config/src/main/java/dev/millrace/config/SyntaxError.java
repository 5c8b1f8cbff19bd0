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
record SyntaxError(String message, int line, int column) {

  static SyntaxError of(JsonProcessingException e) {
    if (e.getCause() instanceof MarkedYAMLException yaml && yaml.getProblemMark() != null) {
      Mark mark = yaml.getProblemMark();
      return new SyntaxError(clean(yaml.getProblem()), mark.getLine() + 1, mark.getColumn() + 1);
    }
    JsonLocation location = e.getLocation();
    return location == null
        ? new SyntaxError(clean(e.getOriginalMessage()), 0, 0)
        : new SyntaxError(
            clean(e.getOriginalMessage()), location.getLineNr(), location.getColumnNr());
  }

  private static String clean(@Nullable String message) {
    if (message == null) {
      return "cannot be parsed";
    }
    String line = message.lines().findFirst().orElse("");
    return "cannot be parsed: " + line.replaceAll(", from `[^`]*`|, got this instead: .*", "");
  }
}
