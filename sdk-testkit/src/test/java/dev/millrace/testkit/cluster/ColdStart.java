package dev.millrace.testkit.cluster;

import dev.millrace.testkit.internal.ParentWatch;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Starts the first embedded Kafka of a JVM and tells how long that took. */
final class ColdStart {
  private ColdStart() {}

  public static void main(String[] arguments) {
    ParentWatch.start(() -> {}, Duration.ofSeconds(10));
    long start = System.nanoTime();
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start()) {
      kafka.createTopic("first", 1);
      System.out.printf(
          "The first embedded broker of a JVM, with its first topic: %d ms%n",
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
    }
  }
}
