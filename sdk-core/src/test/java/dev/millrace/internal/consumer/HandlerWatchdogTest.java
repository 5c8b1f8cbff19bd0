package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.WatchdogPolicy;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.time.StoppedClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When it looks, what it warns of, and what it does; this thread is the handlers' too. */
class HandlerWatchdogTest {
  private static final TopicPartition NAME = new TopicPartition("orders", 0);

  private final Assignment assignment =
      new Assignment(new ConsumerMeters(new SimpleMeterRegistry(), "c", "g"), abandoned -> {});
  private final AssignedPartition partition = new AssignedPartition(NAME, CompletedAhead.NONE);
  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void assign() {
    assignment.add(partition);
  }

  @AfterEach
  void clearInterrupt() {
    Thread.interrupted();
  }

  @Test
  void anAttemptIsDueAtTheTimeAndWheneverItHasDoubled() {
    assertThat(
            List.of(0L, 99L, 100L, 199L, 200L, 399L, 400L, 800L).stream()
                .map(nanos -> HandlerWatchdog.steps(nanos, 100))
                .toList())
        .containsExactly(0, 0, 1, 1, 2, 2, 3, 4);
    assertThat(HandlerWatchdog.steps(Long.MIN_VALUE, 100)).isZero();
  }

  @Test
  void oneWarningIsGivenForARecordAndAnotherWhenItsTimeHasDoubled() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    running(17, 0, 0);

    List<Integer> told = new ArrayList<>();
    for (int second = 0; second <= 200; second++) {
      int before = warnings.size();
      watchdog.lookIfDue(seconds(second));
      if (warnings.size() > before) {
        told.add(second);
      }
    }

    assertThat(told).containsExactly(60, 120);
    assertThat(warnings.get(0))
        .startsWith(
            "Consumer 'c': orders-0@17 has been in its handler for 60 s, attempt 1. It is in thread ")
        .contains("\n    at ", HandlerWatchdogTest.class.getName());
    assertThat(warnings.get(1)).contains("for 120 s");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  void nothingIsMissedWhileThePollThreadIsElsewhere() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    watchdog.lookIfDue(0);
    running(17, 0, seconds(5));

    watchdog.lookIfDue(seconds(500));
    watchdog.lookIfDue(seconds(500) + 1);
    watchdog.lookIfDue(seconds(501));

    assertThat(warnings).singleElement().asString().contains("for 495 s");
  }

  @Test
  void theOldestIsFoundAmongQueuedDoneAndYoungerOnes() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    deliver(1, 0);
    deliver(2, 0).ticket().start();
    Delivery done = running(3, 0, 0);
    done.ends();
    done.ticket().complete();
    running(4, seconds(1), seconds(30));
    Delivery oldest = running(5, seconds(2), seconds(10));
    running(6, seconds(20), seconds(20));

    watchdog.lookIfDue(seconds(40));
    assertThat(watchdog.oldestNanos()).isEqualTo(seconds(30));

    oldest.ends();
    watchdog.lookIfDue(seconds(41));
    assertThat(watchdog.oldestNanos()).isEqualTo(seconds(21));
  }

  @Test
  void anOverdueRecordIsFoundBehindAnOlderOne() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    running(1, 0, 0);
    running(2, seconds(100), seconds(110));

    watchdog.lookIfDue(seconds(170));

    assertThat(warnings).hasSize(2);
    assertThat(watchdog.overdue(seconds(170))).extracting(Overdue::offset).containsExactly(1L, 2L);
    assertThat(watchdog.overdue(seconds(169))).extracting(Overdue::offset).containsExactly(1L);
  }

  @Test
  void ofAThousandThatHangTheFirstAreToldAndTheRestCounted() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    for (int offset = 0; offset < 1000; offset++) {
      running(offset, 0, -offset);
    }

    watchdog.lookIfDue(seconds(60));

    assertThat(warnings).hasSize(11);
    assertThat(warnings.get(10))
        .isEqualTo(
            "Consumer 'c': 990 more records have been in their handler for longer than 60 s.");
    assertThat(watchdog.overdue(seconds(60))).hasSize(10);
  }

  @Test
  void byPolicyTheThreadIsInterruptedAtEachWarning() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    Delivery deaf = running(1, 0, 0);

    watchdog.lookIfDue(seconds(59));
    assertThat(Thread.interrupted()).isFalse();
    watchdog.lookIfDue(seconds(60));
    assertThat(Thread.interrupted()).isTrue();
    watchdog.lookIfDue(seconds(61));
    assertThat(Thread.interrupted()).isFalse();
    watchdog.lookIfDue(seconds(120));
    assertThat(Thread.interrupted()).isTrue();

    assertThat(deaf.givenUp()).isNull();
    assertThat(warnings).allMatch(warning -> warning.contains("Its thread has been interrupted."));
  }

  @Test
  void aHandlerWithoutAThreadIsWarnedOfWithoutAStack() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    running(1, 0, 0).leavesWorker();

    watchdog.lookIfDue(seconds(60));

    assertThat(warnings)
        .containsExactly(
            "Consumer 'c': orders-0@1 has been in its handler for 60 s, attempt 1. It has no thread"
                + " to interrupt. No thread of it is known.");
  }

  @Test
  void byPolicyTheRecordIsGivenUp() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    Delivery hung = running(1, 0, 0);

    watchdog.lookIfDue(seconds(60));

    assertThat(hung.ends()).isTrue();
    assertThat(hung.givenUp())
        .hasMessage(
            "Consumer 'c' gave up orders-0@1, which had been in its handler for 60 s;"
                + " handler-watchdog.after is 60 s.");
  }

  @Test
  void aBatchIsGivenUpAsAWholeAndToldOnce() throws Exception {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.DEAD_LETTER);
    List<Delivery> batch = List.of(deliver(1, 0), deliver(2, 0), deliver(3, 0));
    Thread handler = new EndsWhenInterrupted(batch);
    handler.start();
    handler.join();

    watchdog.lookIfDue(seconds(60));

    assertThat(batch).allSatisfy(record -> assertThat(record.givenUp()).isNotNull());
    assertThat(warnings)
        .singleElement()
        .asString()
        .startsWith(
            "Consumer 'c': orders-0@1 and 2 more of its batch have been in their handler for 60 s,"
                + " attempt 1. They go to the dead-letter topic when their handler ends. It is in"
                + " thread ");
  }

  @Test
  void byPolicyTheConsumerIsUnhealthyUntilTheHandlerEnds() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.UNHEALTHY);
    Delivery hung = running(1, 0, 0);
    assertThat(watchdog.isContent()).isTrue();

    watchdog.lookIfDue(seconds(60));
    assertThat(watchdog.isContent()).isFalse();

    hung.ends();
    watchdog.lookIfDue(seconds(61));
    assertThat(watchdog.isContent()).isTrue();
  }

  @Test
  void underOtherPoliciesAHangingHandlerIsNoIllness() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    running(1, 0, 0);

    watchdog.lookIfDue(seconds(60));

    assertThat(watchdog.isContent()).isTrue();
  }

  @Test
  void aHandlerIsWatchedOnWhenItsPartitionHasLeft() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.INTERRUPT);
    Delivery hung = running(1, 0, 0);
    deliver(2, 0);
    partition.tracker().takeBack();
    assignment.remove(Set.of(NAME));

    watchdog.lookIfDue(seconds(60));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(warnings).hasSize(1);
    assertThat(watchdog.oldestNanos()).isEqualTo(seconds(60));

    hung.ends();
    watchdog.lookIfDue(seconds(61));
    assertThat(watchdog.oldestNanos()).isZero();
    assertThat(assignment.leftBehind()).isEmpty();
  }

  @Test
  void aHandlerIsWatchedOnWhenItsPartitionGoesOnElsewhere() {
    HandlerWatchdog watchdog = watchdog(WatchdogPolicy.WARN);
    running(1, 0, 0);
    assignment.startAnew(NAME);

    watchdog.lookIfDue(seconds(60));

    assertThat(warnings).singleElement().asString().contains("orders-0@1");
  }

  private HandlerWatchdog watchdog(WatchdogPolicy policy) {
    return new HandlerWatchdog(
        "c",
        new HandlerWatchdogDefinition(Duration.ofSeconds(60), policy),
        new StoppedClock(),
        assignment,
        warnings::add);
  }

  /** The first interrupt ends the handler, and so the attempt at the other records. */
  private static final class EndsWhenInterrupted extends Thread {
    private final List<Delivery> batch;

    EndsWhenInterrupted(List<Delivery> batch) {
      super(
          () -> {
            for (Delivery delivery : batch) {
              delivery.ticket().start();
              delivery.runs(0);
            }
          });
      this.batch = batch;
    }

    @Override
    public void interrupt() {
      batch.subList(1, batch.size()).forEach(Delivery::ends);
    }
  }

  private Delivery running(long offset, long polled, long started) {
    Delivery delivery = deliver(offset, polled);
    delivery.ticket().start();
    delivery.runs(started);
    return delivery;
  }

  private Delivery deliver(long offset, long polled) {
    OffsetTicket ticket = partition.tracker().issue(offset, -1);
    return new Delivery(
        new ConsumerRecord<>("orders", 0, offset, new byte[1], new byte[1]),
        ticket,
        partition.load(),
        polled);
  }

  private static long seconds(long seconds) {
    return TimeUnit.SECONDS.toNanos(seconds);
  }
}
