package dev.millrace.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerExplanation.Channel;
import dev.millrace.consumer.ConsumerExplanation.CommitFailure;
import dev.millrace.consumer.ConsumerExplanation.Commits;
import dev.millrace.consumer.ConsumerExplanation.Counts;
import dev.millrace.consumer.ConsumerExplanation.Outage;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Permits;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** The text, word for word. */
class ExplanationTextTest {
  private static final Instant NOW = Instant.parse("2026-03-01T03:00:42.123456Z");
  private static final List<StackTraceElement> STACK =
      List.of(
          new StackTraceElement("java.lang.Object", "wait", "Object.java", -2),
          new StackTraceElement("shop.Inventory", "reserve", "Inventory.java", 17));
  private static final Commits COMMITTED_17 =
      new Commits(
          OptionalLong.of(17),
          Optional.of(Instant.parse("2026-03-01T03:00:00Z")),
          Optional.empty());
  private static final Counts NOTHING = new Counts(0, 0, 0, 0, 0);

  @Test
  void tellsOfEachPartitionInOneSentenceAndThenTheFigures() {
    Partition hung = hung();
    Partition troubled =
        partition(
            1,
            OptionalLong.empty(),
            OptionalLong.of(9),
            new Commits(
                OptionalLong.of(5),
                Optional.empty(),
                Optional.of(
                    new CommitFailure(
                        Instant.parse("2026-03-01T02:59:00Z"), NOW, "TimeoutException: late"))),
            Optional.of(
                new Unfinished(
                    8,
                    Optional.empty(),
                    3,
                    Duration.ofMinutes(61),
                    new WaitsForRetry(Duration.ofMillis(1500), "java.io.IOException"))),
            new Counts(0, 0, 1, 0, 0),
            Map.of(
                PauseCause.USER, Instant.parse("2026-03-01T02:00:00Z"),
                PauseCause.TOO_FAR_AHEAD, Instant.parse("2026-03-01T02:58:00Z")));
    Partition idle =
        partition(
            2,
            OptionalLong.of(0),
            OptionalLong.of(17),
            COMMITTED_17,
            Optional.empty(),
            NOTHING,
            Map.of());

    assertThat(
            explanation(
                    Optional.of(
                        new Outage(
                            List.of("orders.g.dlq", "orders.g.retry.1"),
                            Duration.ofSeconds(150),
                            7,
                            "TimeoutException: late")),
                    Optional.empty(),
                    hung,
                    troubled,
                    idle)
                .toString())
        .isEqualTo(
            """
            Consumer 'order-consumer' is RUNNING at 2026-03-01T03:00:42.123Z
              channel: 5 of 2032 records, 0 more rest, 4096 of 67108864 bytes; permits: 1 of 16 used
              orders.g.dlq, orders.g.retry.1 can't be written for 2 min 30 s, 7 sends failed: TimeoutException: late
            orders-0: waits for orders-0@17, running for 42 s in Inventory.reserve(Inventory.java:17)
              lag 120, position 37, first unfinished 17, committed 17 (2026-03-01T03:00:00Z)
              3 queued, 1 running, 0 parked; done beyond the first unfinished 16, unsaved 0
              orders-0@17: key "customer-42", attempt 1, polled 43 s ago
              in thread millrace-order-consumer-worker-3
                at java.lang.Object.wait(Native Method)
                at shop.Inventory.reserve(Inventory.java:17)
            orders-1: commit fails since 2026-03-01T02:59:00Z: TimeoutException: late; waits for \
            orders-1@8, whose attempt 3 follows in 1 s after java.io.IOException; held back because \
            it ran too far ahead since 2026-03-01T02:58:00Z; paused by the user since \
            2026-03-01T02:00:00Z
              lag unknown, position 9, first unfinished 8, committed 5 (found when assigned)
              the last commit failed 2026-03-01T03:00:42.123Z
              0 queued, 0 running, 1 parked; done beyond the first unfinished 0, unsaved 0
              orders-1@8: key none, attempt 3, polled 61 min 0 s ago
            orders-2: up to date
              lag 0, position 17, first unfinished 17, committed 17 (2026-03-01T03:00:00Z)
              0 queued, 0 running, 0 parked; done beyond the first unfinished 0, unsaved 0
            """);
  }

  @Test
  void theReadmeShowsSuchAText() throws Exception {
    Partition paused =
        partition(
            1,
            OptionalLong.empty(),
            OptionalLong.of(9),
            new Commits(
                OptionalLong.of(9),
                Optional.of(Instant.parse("2026-03-01T01:59:58Z")),
                Optional.empty()),
            Optional.empty(),
            NOTHING,
            Map.of(PauseCause.USER, Instant.parse("2026-03-01T02:00:00Z")));

    assertThat(Files.readString(Path.of("..", "README.md")))
        .contains(explanation(Optional.empty(), Optional.empty(), hung(), paused).toString());
  }

  @Test
  void tellsWhereAPollThreadIsThatDoesNotAnswer() {
    assertThat(
            explanation(Optional.empty(), Optional.of(new Silence(Duration.ofMillis(2001), STACK)))
                .toString())
        .isEqualTo(
            """
            Consumer 'order-consumer' is RUNNING at 2026-03-01T03:00:42.123Z
              channel: 5 of 2032 records, 0 more rest, 4096 of 67108864 bytes; permits: 1 of 16 used
              a poll thread did not answer (waited 2 s), so nothing is known of its partitions; it is
                at java.lang.Object.wait(Native Method)
                at shop.Inventory.reserve(Inventory.java:17)
            """);
  }

  /** A consumer that was paused and one that has nothing to do look the same but for this. */
  @Test
  void tellsOfAPauseThoughThereIsNoPartition() {
    ConsumerExplanation explanation =
        new ConsumerExplanation(
            "order-consumer",
            NOW,
            ConsumerState.RUNNING,
            Optional.of(Instant.parse("2026-03-01T02:00:00Z")),
            new Channel(0, 2032, 0, 0, 64 << 20),
            new Permits(0, 16),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of(),
            Optional.empty(),
            List.of());

    assertThat(explanation.toString())
        .endsWith("used\n  paused by the user since 2026-03-01T02:00:00Z\n");
  }

  /** Which of them hangs is what whoever reads has to know. */
  @Test
  void ofSeveralInstancesEachTellsItsOwnUnderItsName() {
    ConsumerExplanation first = instance("order-consumer-1", Optional.empty());
    ConsumerExplanation second =
        instance("order-consumer-2", Optional.of(new Silence(Duration.ofMillis(2001), STACK)));

    assertThat(
            new ConsumerExplanation(
                    "order-consumer",
                    NOW,
                    ConsumerState.RUNNING,
                    Optional.empty(),
                    new Channel(10, 4000, 0, 8192, 64 << 20),
                    new Permits(2, 16),
                    Optional.empty(),
                    Optional.empty(),
                    first.overdue(),
                    first.partitions(),
                    second.silence(),
                    List.of(first, second))
                .toString())
        .isEqualTo(
            """
            Consumer 'order-consumer' is RUNNING at 2026-03-01T03:00:42.123Z
              channel: 10 of 4000 records, 0 more rest, 8192 of 67108864 bytes; permits: 2 of 16 used
            Consumer 'order-consumer-1' is RUNNING at 2026-03-01T03:00:42.123Z
              channel: 5 of 2000 records, 0 more rest, 4096 of 33554432 bytes; permits: 1 of 8 used
            Consumer 'order-consumer-2' is RUNNING at 2026-03-01T03:00:42.123Z
              channel: 5 of 2000 records, 0 more rest, 4096 of 33554432 bytes; permits: 1 of 8 used
              a poll thread did not answer (waited 2 s), so nothing is known of its partitions; it is
                at java.lang.Object.wait(Native Method)
                at shop.Inventory.reserve(Inventory.java:17)
            """);
  }

  private static ConsumerExplanation instance(String name, Optional<Silence> silence) {
    return new ConsumerExplanation(
        name,
        NOW,
        ConsumerState.RUNNING,
        Optional.empty(),
        new Channel(5, 2000, 0, 4096, 32 << 20),
        new Permits(1, 8),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of(),
        silence,
        List.of());
  }

  @Test
  void tellsWhichRecordsAreOverdue() {
    ConsumerExplanation explanation =
        new ConsumerExplanation(
            "order-consumer",
            NOW,
            ConsumerState.RUNNING,
            Optional.empty(),
            new Channel(5, 2032, 0, 4096, 64 << 20),
            new Permits(1, 16),
            Optional.empty(),
            Optional.empty(),
            List.of(
                new Overdue(
                    new TopicPartition("orders", 0),
                    17,
                    1,
                    new Running("w-3", Duration.ofMinutes(5), "Inventory.reserve", STACK)),
                new Overdue(
                    new TopicPartition("orders", 1),
                    8,
                    2,
                    new RunningElsewhere(Duration.ofMinutes(3)))),
            List.of(),
            Optional.empty(),
            List.of());

    assertThat(explanation.toString())
        .endsWith(
            """
              overdue: orders-0@17, running for 5 min 0 s in Inventory.reserve
              overdue: orders-1@8, whose stage has not completed for 3 min 0 s
            """);
  }

  @Test
  void aPartitionWithNothingInHandIsBehindOrUpToDateOrWithoutRecords() {
    assertThat(idle(OptionalLong.of(5), OptionalLong.of(17))).isEqualTo("reads on, 5 behind");
    assertThat(idle(OptionalLong.empty(), OptionalLong.of(17)))
        .isEqualTo("nothing unfinished, log end not known");
    assertThat(idle(OptionalLong.of(0), OptionalLong.of(17))).isEqualTo("up to date");
    assertThat(idle(OptionalLong.of(0), OptionalLong.empty())).isEqualTo("no records");
  }

  private static Partition hung() {
    return partition(
        0,
        OptionalLong.of(120),
        OptionalLong.of(37),
        COMMITTED_17,
        Optional.of(
            new Unfinished(
                17,
                Optional.of("\"customer-42\""),
                1,
                Duration.ofSeconds(43),
                new Running(
                    "millrace-order-consumer-worker-3",
                    Duration.ofSeconds(42),
                    "Inventory.reserve(Inventory.java:17)",
                    STACK))),
        new Counts(3, 1, 0, 16, 0),
        Map.of());
  }

  private static String idle(OptionalLong lag, OptionalLong position) {
    return partition(0, lag, position, COMMITTED_17, Optional.empty(), NOTHING, Map.of()).verdict();
  }

  private static Partition partition(
      int number,
      OptionalLong lag,
      OptionalLong position,
      Commits commits,
      Optional<Unfinished> oldest,
      Counts counts,
      Map<PauseCause, Instant> pauses) {
    return new Partition(
        new TopicPartition("orders", number),
        lag,
        position,
        oldest.isPresent() ? OptionalLong.of(oldest.get().offset()) : position,
        commits,
        oldest,
        counts,
        pauses);
  }

  private static ConsumerExplanation explanation(
      Optional<Outage> outage, Optional<Silence> silence, Partition... partitions) {
    return new ConsumerExplanation(
        "order-consumer",
        NOW,
        ConsumerState.RUNNING,
        Optional.empty(),
        new Channel(5, 2032, 0, 4096, 64 << 20),
        new Permits(1, 16),
        outage,
        Optional.empty(),
        List.of(),
        List.of(partitions),
        silence,
        List.of());
  }
}
