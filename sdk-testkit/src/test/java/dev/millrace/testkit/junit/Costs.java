package dev.millrace.testkit.junit;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Classes that do nothing but make a topic and note when they came. */
final class Costs {
  private static final Queue<Long> CAME = new ConcurrentLinkedQueue<>();
  private static final Set<KafkaCluster> CLUSTERS = ConcurrentHashMap.newKeySet();

  private Costs() {}

  static void reset() {
    CAME.clear();
    CLUSTERS.clear();
  }

  /** Those that the classes were given. */
  static Set<KafkaCluster> clusters() {
    return Set.copyOf(CLUSTERS);
  }

  /** From the test of one class to that of the next: its end, and the next one's beginning. */
  static long millisPerFurtherClass() {
    long first = CAME.stream().mapToLong(Long::longValue).min().orElseThrow();
    long last = CAME.stream().mapToLong(Long::longValue).max().orElseThrow();
    return TimeUnit.NANOSECONDS.toMillis((last - first) / (CAME.size() - 1));
  }

  private static void come(KafkaCluster kafka, TestTopics topics) {
    CLUSTERS.add(kafka);
    topics.create("t", 1);
    CAME.add(System.nanoTime());
  }

  @KafkaTest
  static class First {
    @Test
    void comes(KafkaCluster kafka, TestTopics topics) {
      come(kafka, topics);
    }
  }

  @KafkaTest
  static class Second {
    @Test
    void comes(KafkaCluster kafka, TestTopics topics) {
      come(kafka, topics);
    }
  }

  @KafkaTest
  static class Third {
    @Test
    void comes(KafkaCluster kafka, TestTopics topics) {
      come(kafka, topics);
    }
  }

  @KafkaTest
  static class Fourth {
    @Test
    void comes(KafkaCluster kafka, TestTopics topics) {
      come(kafka, topics);
    }
  }
}
