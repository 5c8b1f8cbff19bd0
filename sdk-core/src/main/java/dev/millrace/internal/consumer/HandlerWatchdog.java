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
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
   * @param warnings told of each overdue record or batch; must not block
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
    seeTo(
        look(now).overdue().stream().filter(record -> isDue(record.nanos(now), now)).toList(), now);
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

  private void seeTo(List<RunningRecord> due, long now) {
    List<List<RunningRecord>> handlers = byHandler(due);
    // First, so that the stacks show where they hang, not where the interrupt has sent them.
    List<Optional<Overdue>> seen = new ArrayList<>();
    for (int i = 0; i < Math.min(handlers.size(), MOST_TOLD); i++) {
      seen.add(explained(handlers.get(i).get(0), now));
    }
    List<String> consequences = act(handlers, now);
    int told = 0;
    for (int i = 0; i < seen.size(); i++) {
      List<RunningRecord> records = handlers.get(i);
      String consequence = consequences.get(i);
      seen.get(i).ifPresent(overdue -> warn(records, overdue, now, consequence));
      told += records.size();
    }
    if (due.size() > told) {
      warnings.accept(
          "Consumer '%s': %d more records have been in their handler for longer than %s."
              .formatted(consumer, due.size() - told, text(after)));
    }
  }

  /** Those of a batch have been handed to one handler, at one time and in one thread. */
  private static List<List<RunningRecord>> byHandler(List<RunningRecord> records) {
    Map<Object, List<RunningRecord>> handlers = new LinkedHashMap<>();
    for (RunningRecord record : records) {
      Thread runner = record.delivery().runner();
      Object handler = runner == null ? record : List.of(runner, record.beganNanos());
      handlers.computeIfAbsent(handler, first -> new ArrayList<>()).add(record);
    }
    return List.copyOf(handlers.values());
  }

  /** Returns for each handler what follows. */
  private List<String> act(List<List<RunningRecord>> handlers, long now) {
    return switch (policy) {
      case WARN -> Collections.nCopies(handlers.size(), "");
      case UNHEALTHY ->
          Collections.nCopies(handlers.size(), " The consumer is unhealthy until it ends.");
      case INTERRUPT ->
          handlers.stream()
              .map(
                  records ->
                      interrupt(records)
                          ? " Its thread has been interrupted."
                          : " It has no thread to interrupt.")
              .toList();
      case DEAD_LETTER -> {
        // All of them first: an interrupt ends the handler of all records of a batch.
        List<String> consequences = handlers.stream().map(records -> giveUp(records, now)).toList();
        handlers.forEach(HandlerWatchdog::interrupt);
        yield consequences;
      }
    };
  }

  /** Interrupts for each of the records: each knows then why its handler failed. */
  private static boolean interrupt(List<RunningRecord> records) {
    return records.stream().filter(RunningRecord::interrupt).count() > 0;
  }

  private String giveUp(List<RunningRecord> records, long now) {
    long givenUp =
        records.stream()
            .filter(
                record ->
                    record.giveUp(
                        new HandlerTimeoutException(
                            "Consumer '%s' gave up %s, which had been in its handler for %s; handler-watchdog.after is %s."
                                .formatted(consumer, record.place(), age(record, now), text(after)),
                            null)))
            .count();
    if (givenUp == 0) {
      return " It has ended meanwhile.";
    }
    return givenUp == 1
        ? " It goes to the dead-letter topic when its handler ends."
        : " They go to the dead-letter topic when their handler ends.";
  }

  private void warn(List<RunningRecord> records, Overdue overdue, long now, String consequence) {
    RunningRecord first = records.get(0);
    String which =
        records.size() == 1
            ? first.place() + " has been in its handler"
            : "%s and %d more of its batch have been in their handler"
                .formatted(first.place(), records.size() - 1);
    warnings.accept(
        "Consumer '%s': %s for %s, attempt %d.%s%s"
            .formatted(
                consumer,
                which,
                age(first, now),
                overdue.attempt(),
                consequence,
                where(overdue.activity())));
  }

  private static String age(RunningRecord record, long now) {
    return text(Duration.ofNanos(record.nanos(now)));
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
