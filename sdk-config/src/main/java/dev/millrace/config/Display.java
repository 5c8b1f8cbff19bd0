package dev.millrace.config;

import java.util.Locale;

/** How names and values look in messages. */
final class Display {
  private static final int LONGEST = 60;

  private Display() {}

  static String quoted(String text) {
    return "'" + cut(text) + "'";
  }

  /** The text on one line and no longer than a message can bear. */
  static String cut(String text) {
    String head = text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
    StringBuilder shown = new StringBuilder(head.length());
    head.chars()
        .forEach(
            c -> {
              if (c == '\n') {
                shown.append("\\n");
              } else if (Character.isISOControl(c)) {
                shown.append(String.format(Locale.ROOT, "\\u%04X", c));
              } else {
                shown.append((char) c);
              }
            });
    return shown.toString();
  }
}
