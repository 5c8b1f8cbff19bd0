package dev.millrace.config;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A config's text before anything is read from it.
 *
 * @param name what problems call it
 * @param folder what the paths of <code>${file:…}</code> are relative to
 */
record Source(String name, Path folder, String text) {

  /** The file's text, or nothing after reporting why there is none. */
  static Optional<Source> of(Path file, Problems problems) {
    SourceLocation whole = SourceLocation.wholeFile(file.toString());
    try {
      Path folder = file.toAbsolutePath().getParent();
      return Optional.of(
          new Source(file.toString(), folder == null ? file : folder, TextFile.read(file)));
    } catch (IOException e) {
      problems.add(whole, "the file " + reason(e), null);
      return Optional.empty();
    }
  }

  static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? "cannot be read" : message;
  }

  /** By the name's ending; else by the text, where only JSON begins with a quoted key in braces. */
  boolean isJson() {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".json")) {
      return true;
    }
    if (lower.endsWith(".yaml") || lower.endsWith(".yml") || !text.stripLeading().startsWith("{")) {
      return false;
    }
    String inside = text.stripLeading().substring(1).stripLeading();
    return inside.startsWith("\"") || inside.startsWith("}");
  }
}
