package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.MessageConsumer;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/**
 * A consumer in its own process, made to be killed. Each handled value is a line of its history,
 * written with one system call, so that it outlives the process.
 */
final class KillableConsumer {
  private KillableConsumer() {}

  /** Starts the process. */
  static Process start(String brokers, String topic, String group, Path history)
      throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-XX:TieredStopAtLevel=1",
            "-classpath",
            System.getProperty("java.class.path"),
            KillableConsumer.class.getName(),
            brokers,
            topic,
            group,
            history.toString())
        .redirectErrorStream(true)
        .redirectOutput(new File(history + ".log"))
        .start();
  }

  public static void main(String[] arguments) throws Exception {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: '%s' }
          consumers:
            killable:
              topics: [%s]
              group-id: %s
              concurrency: 16
              # A killed member is missed after this; until then its partitions stand still.
              properties: { session.timeout.ms: 1000, heartbeat.interval.ms: 200 }
        """
            .formatted(arguments[0], arguments[1], arguments[2]);
    try (FileChannel history =
            FileChannel.open(
                Path.of(arguments[3]), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        KafkaFactory kafka = KafkaFactory.create(ConfigLoader.create().parse("test", yaml));
        MessageConsumer consumer =
            kafka
                .createConsumer("killable", String.class)
                .subscribe(
                    (value, context) -> {
                      TimeUnit.MILLISECONDS.sleep(2);
                      history.write(
                          ByteBuffer.wrap((value + "\n").getBytes(StandardCharsets.UTF_8)));
                    })) {
      consumer.awaitClosed();
    }
  }
}
