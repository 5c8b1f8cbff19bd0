package dev.millrace.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the README tells users to copy must load, compile and, where it is a test, pass. */
@Timeout(400)
class ReadmeCodeTest {
  private static final Pattern CLASS = Pattern.compile("^class (\\w+)", Pattern.MULTILINE);
  private static final Pattern TEST = Pattern.compile("@Test\\s+void (\\w+)", Pattern.MULTILINE);

  /** What a service has around the lines that the README shows. */
  private static final String IMPORTS =
      """
      import static org.junit.jupiter.api.Assertions.assertEquals;
      import static org.junit.jupiter.api.Assertions.assertTrue;
      import dev.millrace.*;
      import dev.millrace.config.*;
      import dev.millrace.consumer.*;
      import dev.millrace.deadletter.*;
      import dev.millrace.idempotency.*;
      import dev.millrace.idempotency.jdbc.*;
      import dev.millrace.producer.*;
      import dev.millrace.testkit.cluster.*;
      import io.micrometer.core.instrument.MeterRegistry;
      import java.nio.file.Path;
      import java.time.Duration;
      import java.time.Instant;
      import java.util.List;
      import java.util.Map;
      import java.util.Queue;
      import java.util.concurrent.*;
      import javax.sql.DataSource;
      import org.apache.kafka.clients.producer.RecordMetadata;
      import org.junit.jupiter.api.Test;
      record Order(String id, int quantity) {}
      interface Inventory { void reserve(Order order); }
      """;

  private static final String LINES_IN_A_METHOD =
      """
      abstract class Lines {
        Inventory inventory;
        MeterRegistry registry;
        void lines() throws Exception {
      %s
        }
      }
      """;

  static Stream<Readme.Block> yaml() {
    return Readme.blocks("yaml").stream();
  }

  static Stream<Readme.Block> java() {
    return Readme.blocks("java").stream();
  }

  @ParameterizedTest
  @MethodSource("yaml")
  void yamlLoads(Readme.Block block) {
    KafkaConfig config =
        ConfigLoader.create()
            .environment(Map.of("KAFKA_JAAS", "PlainLoginModule required;"))
            .parse("README.yaml", block.text());

    assertThat(config.consumers()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("java")
  void javaCompilesAndTestsPass(Readme.Block block, @TempDir Path folder) throws Exception {
    Matcher named = CLASS.matcher(block.text());
    boolean complete = named.find();
    compile(complete ? block.text() : LINES_IN_A_METHOD.formatted(block.text()), folder);

    Matcher test = TEST.matcher(block.text());
    if (complete && test.find()) {
      run(folder, named.group(1), test.group(1));
    }
  }

  private static void compile(String code, Path folder) throws Exception {
    Path source = folder.resolve("ReadmeBlock.java");
    Files.writeString(source, IMPORTS + code);
    JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of(
              "-d", folder.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
      boolean good =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
              .call();
      assertThat(good).as(messages.toString()).isTrue();
    }
  }

  private static void run(Path folder, String className, String testName) throws Exception {
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      Class<?> test = loader.loadClass(className);
      var constructor = test.getDeclaredConstructor();
      constructor.setAccessible(true);
      Method method = test.getDeclaredMethod(testName);
      method.setAccessible(true);
      method.invoke(constructor.newInstance());
    }
  }
}
