package dev.millrace.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.RecordContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * A consumer with retry topics, to which a seed has this and that happen. Of each record it is
 * known at how many attempts its handler fails; in the end it must have been handled, or be a dead
 * letter.
 */
final class RetryWorld implements AutoCloseable {
  private static final int STEPS = 150;
  private static final int MOST_HEALING_STEPS = 500;
  private static final int FOR_EVER = 1_000;
  private static final int UNDECODABLE = -1;
  private static final Duration SECOND = Duration.ofSeconds(1);

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "no-such-host.invalid:1" }
        consumers:
          retrying:
            topics: [orders]
            group-id: stock
            ordering: %s
            concurrency: %d
            channel-capacity: 30
            commit-interval: %dms
            drain-timeout: 2s
            batch: { max-records: %d, max-wait: %dms }
            retry: { max-attempts: %d, backoff: { initial: 20ms }, topics: %s }
            dead-letter: {}
            properties: { max.poll.records: 5 }
      """;

  private enum Way {
    IN_WORKER,
    ASYNCHRONOUS,
    IN_BATCHES
  }

  /** A stage that has not completed. */
  private record Stage(
      int number, RecordContext context, CompletableFuture<@Nullable Void> future) {}

  /** What was sent as a record. */
  private record Sent(String place, int failures, @Nullable String key, String value) {}

  private final Random random;
  private final Way way;
  private final int attemptsInAll;

  /** Whether nobody is killed or thrown out, and commits succeed. */
  private final boolean peaceful;

  private final List<Sent> sent = new ArrayList<>();
  private final List<Stage> stages = new ArrayList<>();
  private final ConsumerDriver<Integer> driver;

  RetryWorld(long seed) {
    random = new Random(seed);
    way = Way.values()[random.nextInt(Way.values().length)];
    peaceful = random.nextBoolean();
    int attempts = 1 + random.nextInt(3);
    int levels = 1 + random.nextInt(3);
    attemptsInAll = attempts * (levels + 1);
    KafkaConfig config =
        ConfigLoader.create()
            .parse(
                "test.yaml",
                CONFIG.formatted(
                    random.nextBoolean() ? "key" : "unordered",
                    1 + random.nextInt(4),
                    10 + random.nextInt(200),
                    1 + random.nextInt(5),
                    1 + random.nextInt(50),
                    attempts,
                    IntStream.range(0, levels)
                        .mapToObj(level -> 1 + random.nextInt(400) + "ms")
                        .toList()));
    ConsumerDriver.Builder<Integer> builder =
        ConsumerDriver.builder(config, "retrying", Integer.class).partitions(1 + random.nextInt(3));
    driver =
        switch (way) {
          case IN_WORKER -> builder.subscribe(this::handle);
          case ASYNCHRONOUS -> builder.subscribeAsync(this::begin);
          case IN_BATCHES -> builder.subscribeBatch(this::handleBatch);
        };
  }

  private void handle(int number, RecordContext context) {
    if (context.attempt() <= sent.get(number).failures()) {
      throw new IllegalStateException("out of stock");
    }
  }

  private CompletableFuture<@Nullable Void> begin(int number, RecordContext context) {
    CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();
    stages.add(new Stage(number, context, stage));
    return stage;
  }

  private void handleBatch(List<BatchRecord<Integer>> records) {
    for (BatchRecord<Integer> record : records) {
      try {
        handle(record.value(), record.context());
      } catch (IllegalStateException failure) {
        record.retry(failure);
      }
    }
  }

  /** Goes through the world, and looks at what has become of all that was sent. */
  void live() {
    for (int i = 0; i < STEPS; i++) {
      step();
    }
    driver.failCommits(0);
    driver.failDeadLetters(0);
    driver.run();
    for (int i = 0; driver.lag() > 0 && i < MOST_HEALING_STEPS; i++) {
      while (!stages.isEmpty()) {
        endStage();
      }
      driver.advance(SECOND);
    }
    assertThat(driver.lag()).as("lag").isZero();
    check();
  }

  private void step() {
    int dice = random.nextInt(100);
    if (dice < 25) {
      send();
    } else if (dice < 50) {
      driver.run();
    } else if (dice < 75) {
      driver.advance(Duration.ofMillis(random.nextInt(150)));
    } else if (dice < 85) {
      if (!stages.isEmpty()) {
        endStage();
      }
    } else if (dice < 88) {
      driver.failDeadLetters(1 + random.nextInt(3));
    } else if (dice < 91) {
      driver.rebalance();
    } else if (dice < 93) {
      driver.restart();
    } else if (!peaceful) {
      disturb(dice);
    }
  }

  private void disturb(int dice) {
    if (dice < 95) {
      driver.failCommits(1 + random.nextInt(3));
    } else if (dice < 97) {
      driver.lose();
    } else if (dice < 99) {
      stages.clear();
      driver.crash();
    }
  }

  private void send() {
    for (int count = 1 + random.nextInt(4); count > 0; count--) {
      int number = sent.size();
      int dice = random.nextInt(20);
      int failures =
          dice < 10
              ? 0
              : dice < 18 ? random.nextInt(attemptsInAll + 1) : dice < 19 ? FOR_EVER : UNDECODABLE;
      String key = random.nextInt(5) == 0 ? null : "key-" + random.nextInt(4);
      String value = failures == UNDECODABLE ? "no number " + number : Integer.toString(number);
      RecordMetadata place =
          driver.send(
              new ProducerRecord<>(
                  "orders", key == null ? null : key.getBytes(UTF_8), value.getBytes(UTF_8)));
      sent.add(new Sent(place.partition() + "@" + place.offset(), failures, key, value));
    }
  }

  private void endStage() {
    Stage stage = stages.remove(random.nextInt(stages.size()));
    try {
      handle(stage.number(), stage.context());
      stage.future().complete(null);
    } catch (IllegalStateException failure) {
      stage.future().completeExceptionally(failure);
    }
  }

  /** In peace nothing ends twice, but for stages that a drain did not wait for. */
  private void check() {
    Map<String, Long> handled =
        driver.attempts().stream()
            .filter(attempt -> attempt.state() == Attempt.State.SUCCEEDED)
            .collect(
                Collectors.groupingBy(
                    attempt -> attempt.partition().partition() + "@" + attempt.offset(),
                    Collectors.counting()));
    Map<String, Long> dead = new HashMap<>();
    for (DeadLetter letter : driver.deadLetters()) {
      Map<String, String> headers = letter.headers();
      String place =
          headers.get("millrace-origin-partition") + "@" + headers.get("millrace-origin-offset");
      dead.merge(place, 1L, Long::sum);
      assertThat(headers).containsEntry("millrace-origin-topic", "orders");
      assertThat(sent)
          .as("what stood at %s", place)
          .anyMatch(
              record ->
                  record.place().equals(place)
                      && record.value().equals(new String(letter.value(), UTF_8))
                      && Objects.equals(record.key(), letter.key()));
    }
    for (Sent record : sent) {
      boolean isHandled = record.failures() >= 0 && record.failures() < attemptsInAll;
      assertEnds(record, "handled", handled.get(record.place()), isHandled);
      assertEnds(record, "dead-lettered", dead.get(record.place()), !isHandled);
    }
  }

  private void assertEnds(Sent record, String how, @Nullable Long times, boolean expected) {
    if (!expected || (peaceful && way != Way.ASYNCHRONOUS)) {
      assertThat(times).as("times that %s was %s", record, how).isEqualTo(expected ? 1L : null);
    } else {
      assertThat(times).as("times that %s was %s", record, how).isNotNull();
    }
  }

  @Override
  public String toString() {
    return "a world of %d records, %s, %s"
        .formatted(sent.size(), way, peaceful ? "peaceful" : "with crashes");
  }

  @Override
  public void close() {
    while (!stages.isEmpty()) {
      endStage();
    }
    driver.close();
  }
}
