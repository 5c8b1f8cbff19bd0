package dev.millrace.internal.consumer;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.WatchdogPolicy;
import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.errors.HandlerTimeoutException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Looks once a second for records that stay in their handler for too long, and does by policy what
 * can be done about them. Confined to the poll thread, but for what meters and probes read.
 *
 * <p>It acts when an attempt has taken {@code after}, and whenever that time has doubled since. It
 * remembers no record for that: what was due by the last look has been seen to.
 */
final class HandlerWatchdog {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Each with a stack; a thousand that hang in the same place are no news. */
  static final int MOST_TOLD = 10;

  private final String consumer;
  private final Duration after;
  private final WatchdogPolicy policy;
  private final Assignment assignment;
  private final Consumer<String> warnings;
  private long lookedNanos;
  private long dueNanos;
  private volatile long oldestNanos;

  /**
   * @param warnings told of each overdue record; must not block
   */
  HandlerWatchdog(
      String consumer,
      HandlerWatchdogDefinition definition,
      EngineClock clock,
      Assignment assignment,
      Consumer<String> warnings) {
    this.consumer = consumer;
    this.after = definition.after();
    this.policy = definition.policy();
    this.assignment = assignment;
    this.warnings = warnings;
    this.lookedNanos = clock.nanos();
    this.dueNanos = lookedNanos;
  }

  void lookIfDue(long now) {
    if (now - dueNanos < 0) {
      return;
    }
    List<RunningRecord> due =
        look(now).overdue().stream().filter(record -> isDue(record.nanos(now), now)).toList();
    for (int i = 0; i < due.size(); i++) {
      see(due.get(i), now, i < MOST_TOLD);
    }
    if (due.size() > MOST_TOLD) {
      warnings.accept(
          "Consumer '%s': %d more records have been in their handler for longer than %s."
              .formatted(consumer, due.size() - MOST_TOLD, text(after)));
    }
    lookedNanos = now;
    dueNanos = now + INTERVAL_NANOS;
  }

  /** Returns how long the oldest attempt under way had taken at the last look, or 0. Any thread. */
  long oldestNanos() {
    return oldestNanos;
  }

  /** Returns whether the policy finds the consumer healthy, as of the last look. Any thread. */
  boolean isContent() {
    return policy != WatchdogPolicy.UNHEALTHY || oldestNanos < after.toNanos();
  }

  /** Returns the oldest of the overdue records. */
  List<Overdue> overdue(long now) {
    return look(now).overdue().stream()
        .sorted(Comparator.comparing((RunningRecord record) -> record.nanos(now)).reversed())
        .limit(MOST_TOLD)
        .map(record -> explained(record, now))
        .flatMap(Optional::stream)
        .toList();
  }

  private RunningRecords look(long now) {
    RunningRecords running = RunningRecords.look(assignment, now, after.toNanos());
    oldestNanos = running.oldestNanos();
    return running;
  }

  private boolean isDue(long nanos, long now) {
    return steps(nanos, after.toNanos()) > steps(nanos - (now - lookedNanos), after.toNanos());
  }

  /** Returns how often an attempt of this age has been due: at {@code after}, 2 ×, 4 ×, 8 ×, … */
  static int steps(long nanos, long afterNanos) {
    return nanos < afterNanos ? 0 : Long.SIZE - Long.numberOfLeadingZeros(nanos / afterNanos);
  }

  private void see(RunningRecord record, long now, boolean tell) {
    // First, so that the stack shows where it hangs, not where the interrupt has sent it.
    Optional<Overdue> seen = tell ? explained(record, now) : Optional.empty();
    String consequence = act(record, text(Duration.ofNanos(record.nanos(now))));
    seen.ifPresent(overdue -> warn(record, overdue, now, consequence));
  }

  private String act(RunningRecord record, String age) {
    return switch (policy) {
      case WARN -> "";
      case UNHEALTHY -> " The consumer is unhealthy until it ends.";
      case INTERRUPT ->
          record.delivery().interrupt()
              ? " Its thread has been interrupted."
              : " It has no thread to interrupt.";
      case DEAD_LETTER -> {
        record
            .delivery()
            .giveUp(
                new HandlerTimeoutException(
                    "Consumer '%s' gave up %s, which had been in its handler for %s; handler-watchdog.after is %s."
                        .formatted(consumer, record.place(), age, text(after)),
                    null));
        record.delivery().interrupt();
        yield " It goes to the dead-letter topic when its handler ends.";
      }
    };
  }

  private void warn(RunningRecord record, Overdue overdue, long now, String consequence) {
    warnings.accept(
        "Consumer '%s': %s has been in its handler for %s, attempt %d.%s%s"
            .formatted(
                consumer,
                record.place(),
                text(Duration.ofNanos(record.nanos(now))),
                overdue.attempt(),
                consequence,
                where(overdue.activity())));
  }

  private static String where(Activity activity) {
    if (!(activity instanceof Running running)) {
      return " No thread of it is known.";
    }
    return " It is in thread "
        + running.thread()
        + running.stack().stream().map(frame -> "\n    at " + frame).collect(Collectors.joining());
  }

  private static Optional<Overdue> explained(RunningRecord record, long now) {
    Delivery delivery = record.delivery();
    return RunningRecord.activity(delivery, now)
        .map(
            activity ->
                new Overdue(
                    record.partition(), delivery.ticket().offset(), delivery.attempt(), activity));
  }

  private static String text(Duration time) {
    return time.toSeconds() < 1 ? time.toMillis() + " ms" : time.toSeconds() + " s";
  }
}
