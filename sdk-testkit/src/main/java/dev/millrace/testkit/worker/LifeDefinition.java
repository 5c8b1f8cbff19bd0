package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the JVM of one life is told about itself; travels as a file. */
record LifeDefinition(
    String name,
    int life,
    String workerClass,
    Map<String, String> arguments,
    @Nullable KillAt killAt) {
  private static final String ARGUMENT = "argument.";

  LifeDefinition {
    arguments = Map.copyOf(arguments);
  }

  void write(Path file) {
    Properties properties = new Properties();
    properties.setProperty("name", name);
    properties.setProperty("life", Integer.toString(life));
    properties.setProperty("class", workerClass);
    arguments.forEach((key, value) -> properties.setProperty(ARGUMENT + key, value));
    if (killAt != null) {
      properties.setProperty("kill.point", killAt.point());
      properties.setProperty("kill.nth", Integer.toString(killAt.nth()));
    }
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties.store(writer, null);
    } catch (IOException e) {
      throw new TestKitException("Cannot write the definition of worker " + name, e);
    }
  }

  static LifeDefinition read(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    Map<String, String> arguments = new TreeMap<>();
    for (String key : properties.stringPropertyNames()) {
      if (key.startsWith(ARGUMENT)) {
        arguments.put(key.substring(ARGUMENT.length()), properties.getProperty(key));
      }
    }
    String point = properties.getProperty("kill.point");
    return new LifeDefinition(
        properties.getProperty("name"),
        Integer.parseInt(properties.getProperty("life")),
        properties.getProperty("class"),
        arguments,
        point == null
            ? null
            : new KillAt(point, Integer.parseInt(properties.getProperty("kill.nth"))));
  }
}
