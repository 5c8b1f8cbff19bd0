package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testing.Attempt;
import dev.millrace.testing.ConsumerDriver;
import dev.millrace.testing.DeadLetter;
import dev.millrace.testkit.cluster.ClusterNode;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.fault.FaultPlan;
import dev.millrace.testkit.fault.FaultRun;
import dev.millrace.testkit.fault.Verdict;
import dev.millrace.testkit.fault.Watchdog;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.FaultProxy;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.ProxyEvent;
import dev.millrace.testkit.worker.KillPoints;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every piece of Java on the page about testing stands in a test of this package, which runs. */
class TestingPageTest {
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  static List<String> blocks() throws IOException {
    Matcher found = BLOCK.matcher(Files.readString(Path.of("..", "docs", "TESTING.md")));
    List<String> blocks = found.results().map(block -> block.group(1)).toList();
    assertThat(blocks).hasSizeGreaterThanOrEqualTo(15);
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

  /** A part that users are not told of is not there for them. */
  @Test
  void thePageNamesEachPart() throws IOException {
    assertThat(Files.readString(Path.of("..", "docs", "TESTING.md")))
        .contains(
            Stream.of(
                    KafkaTest.class,
                    TestTopics.class,
                    KafkaCluster.class,
                    ClusterNode.class,
                    FaultProxy.class,
                    FaultRule.class,
                    ProxyEvent.class,
                    TopicProbe.class,
                    GroupProbe.class,
                    Commit.class,
                    WorkerProcess.class,
                    Worker.class,
                    KillPoints.class,
                    History.class,
                    Guarantee.class,
                    Evidence.class,
                    FaultPlan.class,
                    FaultRun.class,
                    Verdict.class,
                    Watchdog.class,
                    ConsumerDriver.class,
                    Attempt.class,
                    DeadLetter.class)
                .map(Class::getSimpleName)
                .toList());
    assertThat(Files.readString(Path.of("..", "docs", "TESTING.md")))
        .contains(
            Arrays.stream(Guarantee.class.getMethods())
                .filter(method -> method.getReturnType() == Guarantee.class)
                .map(method -> "`" + method.getName())
                .toList());
    assertThat(Files.readString(Path.of("..", "docs", "TESTING.md")))
        .contains(
            Arrays.stream(ConsumerDriver.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .map(method -> method.getName() + "(")
                .toList());
  }

  /** Without indentation, which differs. */
  private static String plain(String code) {
    return code.lines().map(String::strip).collect(Collectors.joining("\n"));
  }
}
