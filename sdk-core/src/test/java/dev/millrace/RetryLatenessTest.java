package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Many records fail at once and go through all levels. Prints how late each level handled them,
 * from the moment of the failure: the write to the retry topic, and whatever has them wait longer
 * than they should.
 */
@KafkaTest
class RetryLatenessTest {
  private static final int RECORDS = Integer.getInteger("millrace.retry.records", 400);
  private static final List<Integer> DELAYS_MILLIS =
      Arrays.stream(System.getProperty("millrace.retry.millis", "100,300,600").split(",", -1))
          .map(Integer::valueOf)
          .toList();

  /** The clock by which a delay is kept is that of the day, which may be slewed. */
  private static final long CLOCK_MILLIS = 20;

  private final BrokerFixture broker;
  private final long[][] began = new long[DELAYS_MILLIS.size() + 1][RECORDS];
  private final AtomicIntegerArray attempts = new AtomicIntegerArray(RECORDS);

  RetryLatenessTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void eachLevelHandlesEachRecordOnceAndNoneTooEarly() {
    broker.create(4);
    for (int i = 0; i < RECORDS; i++) {
      broker.sendLater("key-" + i % 1000, Integer.toString(i));
    }
    broker.flush();
    List<String> delays = DELAYS_MILLIS.stream().map(millis -> millis + "ms").toList();

    broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                late:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 64
                  retry: { max-attempts: 1, topics: %s }
            """
                .formatted(delays))
        .createConsumer("late", byte[].class)
        .subscribe(
            (value, context) -> {
              int record = Integer.parseInt(new String(value, UTF_8));
              attempts.incrementAndGet(record);
              began[context.attempt() - 1][record] = System.nanoTime();
              if (context.attempt() <= DELAYS_MILLIS.size()) {
                throw new IllegalStateException("not yet");
              }
            });

    await()
        .atMost(SOON.plus(Duration.ofMillis(DELAYS_MILLIS.stream().mapToInt(it -> it).sum())))
        .until(() -> all(DELAYS_MILLIS.size()).allMatch(nanos -> nanos != 0));
    for (int i = 0; i < RECORDS; i++) {
      assertThat(attempts.get(i)).as("attempts at record %d", i).isEqualTo(began.length);
    }
    for (int level = 1; level < began.length; level++) {
      long[] late = late(level);
      assertThat(late[0])
          .as("lateness of the earliest at level %d, in nanoseconds", level)
          .isGreaterThanOrEqualTo(-TimeUnit.MILLISECONDS.toNanos(CLOCK_MILLIS));
      System.out.printf(
          "retry topic %d, delay %,6d ms, %,d records late by: p50 %.1f ms, p99 %.1f ms, max %.1f ms%n",
          level,
          DELAYS_MILLIS.get(level - 1),
          RECORDS,
          millis(late, 0.5),
          millis(late, 0.99),
          millis(late, 1));
    }
  }

  private LongStream all(int level) {
    return Arrays.stream(began[level]);
  }

  private long[] late(int level) {
    List<Long> late = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      long waited = began[level][i] - began[level - 1][i];
      late.add(waited - TimeUnit.MILLISECONDS.toNanos(DELAYS_MILLIS.get(level - 1)));
    }
    return late.stream().mapToLong(it -> it).sorted().toArray();
  }

  private static double millis(long[] sorted, double share) {
    return sorted[(int) Math.ceil(share * sorted.length) - 1] / 1e6;
  }
}
