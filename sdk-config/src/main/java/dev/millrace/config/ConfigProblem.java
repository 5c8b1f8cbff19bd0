package dev.millrace.config;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * One mistake in a config file.
 *
 * @param location where it stands
 * @param path the keys that lead to it below {@code kafka}, as written in the file; empty when the
 *     file as a whole is meant
 * @param message what is wrong; never holds a value that came from a placeholder
 * @param hint what to do about it; null when the message says it all
 */
public record ConfigProblem(
    SourceLocation location, String path, String message, @Nullable String hint)
    implements Serializable {

  /** The problem in one line: {@code kafka.yaml:14:9 path: message; hint}. */
  @Override
  public String toString() {
    String where = path.isEmpty() ? location.toString() : location + " " + path;
    return where + ": " + message + (hint == null ? "" : "; " + hint);
  }
}
