package dev.millrace.testkit.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/**
 * What a node's process and its parent tell each other, by files in the node's directory, which
 * only this user may read: properties can be secret.
 */
record BrokerFiles(Path directory) {
  /** The parent: writes the configuration for the next process. */
  void prepare(Map<String, String> configuration) throws IOException {
    Files.deleteIfExists(ready());
    Properties properties = new Properties();
    properties.putAll(configuration);
    try (OutputStream out = Files.newOutputStream(configuration())) {
      properties.store(out, null);
    }
  }

  /** The process: reads its configuration. */
  Map<String, String> read() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(configuration())) {
      properties.load(in);
    }
    Map<String, String> configuration = new HashMap<>();
    properties.stringPropertyNames().forEach(n -> configuration.put(n, properties.getProperty(n)));
    return configuration;
  }

  /** The process: says that it serves clients. */
  void sayReady() throws IOException {
    Files.createFile(ready());
  }

  /** The parent: whether the process has said so. */
  boolean isReady() {
    return Files.exists(ready());
  }

  /** Where standard output and error of the processes go, one after the other. */
  Path output() {
    return directory.resolve("output.log");
  }

  private Path configuration() {
    return directory.resolve("server.properties");
  }

  private Path ready() {
    return directory.resolve("ready");
  }
}
