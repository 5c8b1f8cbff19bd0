package dev.millrace.config;

import java.io.Serializable;

/**
 * A position in a config file.
 *
 * @param source the file as it was given to the loader
 * @param line the line, counted from 1; 0 means the file as a whole
 * @param column the column, counted from 1; 0 means the file as a whole
 */
public record SourceLocation(String source, int line, int column) implements Serializable {

  static SourceLocation wholeFile(String source) {
    return new SourceLocation(source, 0, 0);
  }

  /** {@code source:line:column}, the form that editors and terminals turn into a link. */
  @Override
  public String toString() {
    return line == 0 ? source : source + ":" + line + ":" + column;
  }
}
