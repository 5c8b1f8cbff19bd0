package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.transaction.Slice;
import dev.millrace.internal.transaction.Slices;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits by transactions: of each slice, what ended in it, its outputs and its offsets at once.
 * Confined to the poll thread, but for {@link #hasNews}.
 */
final class TransactionalCommits implements Commits {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionalCommits.class);

  private final String consumer;
  private final Slices slices;
  private final Map<Slice, SliceCourse> courses = new LinkedHashMap<>();
  private final PollThreadSignal signal;
  private final EngineClock clock;
  private final long enoughRecords;
  private long endedAtLast;

  /**
   * @param courses makes that of a slice
   * @param records how many ended records are enough for a commit before the interval has passed; 0
   *     when none are
   */
  TransactionalCommits(
      String consumer,
      Slices slices,
      Function<Slice, SliceCourse> courses,
      int records,
      PollThreadSignal signal,
      EngineClock clock) {
    this.consumer = consumer;
    this.slices = slices;
    slices.all().forEach(slice -> this.courses.put(slice, courses.apply(slice)));
    this.enoughRecords = records == 0 ? Long.MAX_VALUE : records;
    this.signal = signal;
    this.clock = clock;
  }

  /** A partition has left, or starts anew; none of its records ends any more. */
  void left(AssignedPartition partition) {
    course(partition).left(partition);
  }

  @Override
  public long dueNanos() {
    long now = clock.nanos();
    long wait =
        courses.values().stream().mapToLong(course -> course.dueNanos() - now).min().orElseThrow();
    return now + wait;
  }

  @Override
  public boolean hasNews() {
    for (SliceCourse course : courses.values()) {
      if (course.wantsStep()) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void commitIfDue(long nowNanos, long ended, Collection<AssignedPartition> partitions) {
    if (ended - endedAtLast >= enoughRecords) {
      endedAtLast = ended;
      courses.values().forEach(SliceCourse::endNow);
    }
    step();
  }

  /** Does what there is to do, without waiting. */
  void step() {
    courses.values().forEach(SliceCourse::step);
  }

  @Override
  public void letEnd(Collection<AssignedPartition> partitions, long deadlineNanos) {
    of(partitions)
        .forEach(
            course -> {
              boolean unused = awaitOpen(course, deadlineNanos);
            });
  }

  @Override
  public @Nullable KafkaException tryNow(
      Collection<AssignedPartition> partitions, Duration timeout) {
    long deadlineNanos = clock.nanos() + timeout.toNanos();
    return of(partitions)
        .map(course -> tryNow(course, deadlineNanos))
        .reduce(null, (first, next) -> first == null ? next : first);
  }

  private @Nullable KafkaException tryNow(SliceCourse course, long deadlineNanos) {
    if (awaitOpen(course, deadlineNanos)) {
      var unused = course.takeFailure(); // Of an earlier one.
      course.endNow();
      if (awaitOpen(course, deadlineNanos)) {
        RuntimeException failure = course.takeFailure();
        return failure == null || failure instanceof KafkaException
            ? (KafkaException) failure
            : new KafkaException(failure);
      }
    }
    RuntimeException failure = course.takeFailure();
    return new TimeoutException("Its transaction has not ended in time", failure);
  }

  /** Steps until records end; false when the deadline passes before. */
  private boolean awaitOpen(SliceCourse course, long deadlineNanos) {
    while (true) {
      course.step();
      if (course.isOpen()) {
        return true;
      }
      if (clock.nanos() - deadlineNanos >= 0) {
        return false;
      }
      long due = course.dueNanos();
      boolean unused =
          signal.await(
              course::wantsStep, course::wantsStep, due - deadlineNanos < 0 ? due : deadlineNanos);
    }
  }

  private Stream<SliceCourse> of(Collection<AssignedPartition> partitions) {
    return partitions.stream().map(this::course).distinct();
  }

  private SliceCourse course(AssignedPartition partition) {
    Slice slice = slices.of(partition.partition());
    SliceCourse course = courses.get(slice);
    if (course == null) {
      throw new IllegalStateException("A slice of another consumer");
    }
    return course;
  }

  @Override
  public void givenUp(Collection<AssignedPartition> partitions, KafkaException refusal) {
    LOG.warn(
        "Consumer '{}' could not commit its transactions before giving up {}; their next owner goes"
            + " on where the group's offsets say: {}",
        consumer,
        partitions.stream()
            .map(AssignedPartition::partition)
            .collect(Collectors.toUnmodifiableSet()),
        refusal.toString());
  }
}
