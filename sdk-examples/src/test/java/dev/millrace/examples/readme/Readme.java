package dev.millrace.examples.readme;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The README in the root of the repository, as its tests read it. */
final class Readme {
  private static final String FENCE = "```";

  /**
   * A fenced block.
   *
   * @param line where its text begins
   */
  record Block(int line, String text) {
    @Override
    public String toString() {
      return "README.md:" + line;
    }
  }

  private Readme() {}

  static String text() {
    try {
      return Files.readString(
          Path.of("..", "README.md")); // Maven runs tests in the module's folder
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the blocks of this language; at least one, or a test of them would test nothing. */
  static List<Block> blocks(String language) {
    List<Block> blocks = new ArrayList<>();
    List<String> lines = text().lines().toList();
    for (int open = 0; open < lines.size(); open++) {
      if (lines.get(open).startsWith(FENCE)) {
        int close = open + 1;
        while (!lines.get(close).equals(FENCE)) {
          close++;
        }
        if (lines.get(open).equals(FENCE + language)) {
          blocks.add(new Block(open + 2, String.join("\n", lines.subList(open + 1, close)) + "\n"));
        }
        open = close;
      }
    }
    if (blocks.isEmpty()) {
      throw new AssertionError("README.md has no block of " + language);
    }
    return blocks;
  }

  /** Returns the rows of the first table below a heading, each as its cells. */
  static List<List<String>> table(String heading) {
    List<String> lines = text().lines().toList();
    int at = lines.indexOf(heading);
    if (at < 0) {
      throw new AssertionError("README.md has no heading " + heading);
    }
    return lines.stream()
        .skip(at)
        .dropWhile(line -> !line.startsWith("|"))
        .takeWhile(line -> line.startsWith("|"))
        .skip(2)
        .map(line -> List.of(line.substring(1).split("(?<!\\\\)\\|")))
        .map(cells -> cells.stream().map(String::strip).toList())
        .toList();
  }
}
