package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every piece of Java on the page about testing stands in a test of this package, which runs. */
class TestingPageTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  static List<String> blocks() throws IOException {
    Matcher found = BLOCK.matcher(Files.readString(Path.of("..", "docs", "TESTING.md")));
    List<String> blocks = found.results().map(block -> block.group(1)).toList();
    assertThat(blocks).hasSizeGreaterThanOrEqualTo(7);
    return blocks;
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void theBlockStandsInATest(String block) throws IOException {
    Path sources = Path.of("src", "test", "java", "dev", "millrace", "examples", "testing");
    try (Stream<Path> files = Files.list(sources)) {
      assertThat(files.map(TestingPageTest::text)).anyMatch(text -> text.contains(plain(block)));
    }
  }

  private static String text(Path file) {
    try {
      return plain(Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Without indentation, which differs. */
  private static String plain(String code) {
    return code.lines().map(String::strip).collect(Collectors.joining("\n"));
  }
}
