package dev.millrace.testkit.junit;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Classes that do nothing but make a topic and note when they came. */
final class Costs {
  private static final Queue<Long> CAME = new ConcurrentLinkedQueue<>();

  private Costs() {}

  static void reset() {
    CAME.clear();
  }

  /** From the test of one class to that of the next: its end, and the next one's beginning. */
  static long millisPerFurtherClass() {
    long first = CAME.stream().mapToLong(Long::longValue).min().orElseThrow();
    long last = CAME.stream().mapToLong(Long::longValue).max().orElseThrow();
    return TimeUnit.NANOSECONDS.toMillis((last - first) / (CAME.size() - 1));
  }

  private static void come(TestTopics topics) {
    topics.create("t", 1);
    CAME.add(System.nanoTime());
  }

  @KafkaTest
  static class First {
    @Test
    void comes(TestTopics topics) {
      come(topics);
    }
  }

  @KafkaTest
  static class Second {
    @Test
    void comes(TestTopics topics) {
      come(topics);
    }
  }

  @KafkaTest
  static class Third {
    @Test
    void comes(TestTopics topics) {
      come(topics);
    }
  }

  @KafkaTest
  static class Fourth {
    @Test
    void comes(TestTopics topics) {
      come(topics);
    }
  }
}
