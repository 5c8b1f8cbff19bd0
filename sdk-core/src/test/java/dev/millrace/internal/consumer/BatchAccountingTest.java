package dev.millrace.internal.consumer;

import static dev.millrace.internal.consumer.EngineFixture.P0;
import static dev.millrace.internal.consumer.EngineFixture.P1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.Ordering;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.errors.PayloadException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Outcomes drawn from a seed, for each record and each attempt: each record ends once, none comes
 * again after that, the order is kept, and the books balance.
 */
class BatchAccountingTest {
  private static final int RECORDS = 400;
  private static final int KEYS = 5;
  private static final int ATTEMPTS = 3;

  private final EngineFixture engine = new EngineFixture();
  private final ScheduledExecutorService acknowledges =
      Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void close() {
    engine.close();
    acknowledges.shutdownNow();
  }

  @ParameterizedTest
  @CsvSource({
    "PARTITION,1",
    "PARTITION,2",
    "PARTITION,3",
    "KEY,4",
    "KEY,5",
    "KEY,6",
    "UNORDERED,7",
    "UNORDERED,8"
  })
  void eachRecordEndsOnceInOrderAndTheBooksBalance(Ordering ordering, long seed) {
    Books books = new Books(ordering, seed);
    engine.ordering = ordering;
    engine.keys = offset -> "key-" + offset % KEYS;
    engine.attempts = ATTEMPTS;
    engine.backoff = Duration.ofMillis(1);
    engine.batchRecords = 7;
    engine.batchWait = Duration.ofMillis(3);
    engine.deserializer = books.deserializer();
    engine.deadLetterSender = books::send;
    engine.startBatch(books::handle);
    engine.assign(P0, P1);
    engine.add(P0, 0, RECORDS);
    engine.add(P1, 0, RECORDS);

    for (TopicPartition partition : List.of(P0, P1)) {
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(engine.consumer.lastCommit(partition))
                      .as("%s with %s", partition, books)
                      .isEqualTo(RECORDS));
    }
    await().until(() -> engine.gauge("millrace.consumer.in.flight") == 0);
    assertThat(engine.gauge("millrace.consumer.in.flight.bytes")).isZero();
    books.assertBalanced();
  }

  /** What the handlers and the dead-letter topic have seen. Any thread. */
  private final class Books {
    private final Ordering ordering;
    private final long seed;
    private final Random random;
    private final Map<String, Integer> attempts = new HashMap<>();
    private final Set<String> done = new HashSet<>();
    private final Set<String> deadLettered = new HashSet<>();
    private final Map<String, Set<String>> notEnded = new HashMap<>();
    private final List<String> violations = new ArrayList<>();

    Books(Ordering ordering, long seed) {
      this.ordering = ordering;
      this.seed = seed;
      this.random = new Random(seed);
    }

    void handle(List<BatchRecord<String>> records) {
      List<Runnable> outcomes = new ArrayList<>();
      boolean fails;
      synchronized (this) {
        records.forEach(this::handed);
        checkOrder(records);
        fails = random.nextInt(10) == 0;
        for (BatchRecord<String> record : records) {
          outcomes.add(draw(record, fails));
        }
      }
      outcomes.forEach(Runnable::run);
      if (fails) {
        throw new IllegalStateException("the rest of the batch fails");
      }
    }

    private void handed(BatchRecord<String> record) {
      String name = name(record);
      int attempt = attempts.merge(name, 1, Integer::sum);
      check(record.context().attempt() == attempt, name + " is attempt " + attempt);
      check(attempt <= ATTEMPTS, name + " has no more attempts");
      check(!done.contains(name) && !deadLettered.contains(name), name + " has ended before");
    }

    /** With a first attempt in the batch, all earlier batches of its order must have ended. */
    private void checkOrder(List<BatchRecord<String>> records) {
      if (ordering == Ordering.UNORDERED) {
        return;
      }
      Set<String> open = notEnded.computeIfAbsent(lane(records.get(0)), lane -> new HashSet<>());
      long last = -1;
      for (BatchRecord<String> record : records) {
        check(lane(record).equals(lane(records.get(0))), "one order in " + records);
        check(record.context().offset() > last, "offset order in " + records);
        last = record.context().offset();
      }
      if (records.stream().anyMatch(record -> record.context().attempt() == 1)) {
        check(open.isEmpty(), "all of " + open + " ended before " + records);
      }
      records.forEach(record -> open.add(name(record)));
    }

    /** Returns what says the outcome; none says it when the handler's end is to. */
    private Runnable draw(BatchRecord<String> record, boolean fails) {
      int choice = random.nextInt(20);
      if (choice == 0) {
        return () -> record.deadLetter(new IllegalStateException("nobody can"));
      }
      if (choice < 4) {
        return () -> record.retry(new IllegalStateException("again"));
      }
      if (choice < 12 || !fails) {
        ended(done, record);
        return choice < 12 ? record::done : () -> {};
      }
      return () -> {};
    }

    private void ended(Set<String> where, BatchRecord<String> record) {
      where.add(name(record));
      notEnded.getOrDefault(lane(record), new HashSet<>()).remove(name(record));
    }

    synchronized CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> letter) {
      if (random.nextInt(30) == 0) {
        return CompletableFuture.failedFuture(new TimeoutException("away"));
      }
      CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
      Runnable acknowledge =
          () -> {
            acknowledged(letter);
            sent.complete(new RecordMetadata(new TopicPartition("dlq", 0), 0, 0, 0, 0, 0));
          };
      if (random.nextBoolean()) {
        acknowledge.run();
      } else {
        var unused = acknowledges.schedule(acknowledge, random.nextInt(3), TimeUnit.MILLISECONDS);
      }
      return sent;
    }

    private synchronized void acknowledged(ProducerRecord<byte[], byte[]> letter) {
      String name = header(letter, "partition") + "@" + header(letter, "offset");
      check(!done.contains(name), name + " is done, and a dead letter");
      check(deadLettered.add(name), name + " is a dead letter twice");
      notEnded.values().forEach(open -> open.remove(name));
    }

    StringDeserializer deserializer() {
      return new StringDeserializer() {
        @Override
        public String deserialize(String topic, byte[] data) {
          String value = super.deserialize(topic, data);
          if (value.endsWith("3")) {
            throw new PayloadException("not a value", null);
          }
          return value;
        }
      };
    }

    synchronized void assertBalanced() {
      assertThat(violations).as(toString()).isEmpty();
      assertThat(done.size() + deadLettered.size()).as(toString()).isEqualTo(2 * RECORDS);
      assertThat(deadLettered).as(toString()).hasSizeGreaterThan(2 * RECORDS / 10);
      await().until(() -> engine.outcome("handled") == done.size());
      await().until(() -> engine.outcome("dead-lettered") == deadLettered.size());
      int again = attempts.values().stream().mapToInt(Integer::intValue).sum() - attempts.size();
      await().until(() -> engine.outcome("retried") == again);
    }

    private void check(boolean holds, String what) {
      if (!holds) {
        violations.add(what);
      }
    }

    private String lane(BatchRecord<String> record) {
      String partition = Integer.toString(record.context().partition());
      return ordering == Ordering.KEY ? partition + record.context().key() : partition;
    }

    @Override
    public String toString() {
      return ordering + " of seed " + seed;
    }
  }

  private static String name(BatchRecord<String> record) {
    return record.context().partition() + "@" + record.context().offset();
  }

  private static String header(ProducerRecord<byte[], byte[]> letter, String name) {
    return new String(letter.headers().lastHeader("millrace-origin-" + name).value(), UTF_8);
  }
}
