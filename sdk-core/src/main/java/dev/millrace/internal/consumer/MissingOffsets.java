package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import dev.millrace.config.MissingOffset;
import dev.millrace.config.MissingOffset.Start;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.time.EngineClock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides where a partition goes on that has no committed offset, or one that its log does not
 * have. The client, which could decide by itself, has been told to raise both out of a poll.
 * Confined to the poll thread.
 *
 * <p>Invariant: no partition goes on elsewhere than where it stood without a warning and a count;
 * and what an earlier owner had done beyond the old offset is not believed after it.
 */
final class MissingOffsets {
  private static final Logger LOG = LoggerFactory.getLogger(MissingOffsets.class);
  private static final String ADVICE =
      "; move the group's offset, or choose earliest, latest or by-duration.";

  private final String consumer;
  private final EngineClock clock;
  private final MissingOffset policy;
  private final Predicate<TopicPartition> isRetry;
  private final Promise promise;
  private final Assignment assignment;
  private final AddedPartitions added;
  private final SeekTargets targets;
  private final Seeker seeker;
  private final ConsumerMeters meters;

  /**
   * @param isRetry whether a partition is a retry topic's: all that is there is yet to be handled,
   *     so it begins at its beginning, whatever the policy says
   */
  MissingOffsets(
      String consumer,
      EngineClock clock,
      MissingOffset policy,
      Predicate<TopicPartition> isRetry,
      Promise promise,
      Assignment assignment,
      AddedPartitions added,
      SeekTargets targets,
      Seeker seeker,
      ConsumerMeters meters) {
    this.consumer = consumer;
    this.clock = clock;
    this.policy = policy;
    this.isRetry = isRetry;
    this.promise = promise;
    this.assignment = assignment;
    this.added = added;
    this.targets = targets;
    this.seeker = seeker;
    this.meters = meters;
  }

  /**
   * Sees to what a poll has raised. When the brokers don't tell what it takes, nothing is changed:
   * the next poll raises it again.
   *
   * @throws ConsumerFailedException when the policy is to stop
   */
  void resolve(InvalidOffsetException missing) {
    try {
      if (missing instanceof LogTruncationException cut) {
        goOn(cut.offsetOutOfRangePartitions(), cut.divergentOffsets(), missing);
      } else if (missing instanceof OffsetOutOfRangeException lost) {
        goOn(lost.offsetOutOfRangePartitions(), Map.of(), missing);
      } else {
        begin(missing);
      }
    } catch (RetriableException e) {
      LOG.warn(
          "Consumer '{}' can't find out where to go on in {}, and asks again: {}",
          consumer,
          missing.partitions(),
          e.toString());
    }
  }

  private void begin(InvalidOffsetException missing) {
    List<TopicPartition> names = new ArrayList<>();
    for (AssignedPartition partition : assignment.owned(missing.partitions())) {
      // With a position it is old news: the new protocol's client may raise it once more.
      if (partition.tracker().position().isEmpty()) {
        names.add(partition.partition());
      }
    }
    List<TopicPartition> retries = names.stream().filter(isRetry).toList();
    names.removeAll(retries);
    begin(beginnings(retries), "earliest, since it is a retry topic");
    begin(
        policy.start() == Start.FAIL ? startsOfAdded(names, missing) : starts(names),
        policy.start() == Start.FAIL ? "fail, but it was added" : policy.toString());
  }

  private void begin(Map<TopicPartition, Long> starts, String why) {
    starts.forEach(
        (name, offset) -> {
          seeker.startAt(name, offset);
          LOG.info(
              "Consumer '{}' has no committed offset for {} and begins at {} (on-missing-offset: {}).",
              consumer,
              name,
              offset,
              why);
        });
  }

  /** Nothing of what is added can be lost, so there is nothing to stop for. */
  private Map<TopicPartition, Long> startsOfAdded(
      Collection<TopicPartition> names, InvalidOffsetException missing) {
    List<TopicPartition> notAdded = added.notAdded(names);
    if (!notAdded.isEmpty()) {
      throw new ConsumerFailedException(
          "Consumer '%s' has no committed offset for %s, and on-missing-offset is fail"
                  .formatted(consumer, notAdded)
              + ADVICE,
          missing);
    }
    return names.isEmpty() ? Map.of() : targets.beginning(names);
  }

  private void goOn(
      Map<TopicPartition, Long> lost,
      Map<TopicPartition, OffsetAndMetadata> cutAt,
      InvalidOffsetException missing) {
    List<TopicPartition> names = new ArrayList<>();
    for (AssignedPartition partition : assignment.owned(lost.keySet())) {
      long offset = requireNonNull(lost.get(partition.partition()));
      // It may have been moved since.
      if (partition.readTo().orElse(offset) == offset) {
        names.add(partition.partition());
      }
    }
    Map<TopicPartition, Long> begins = targets.beginning(names);
    Map<TopicPartition, Long> ends = targets.end(names);
    Map<TopicPartition, Long> starts = policy.start() == Start.FAIL ? Map.of() : starts(names);
    for (TopicPartition name : names) {
      Gap gap =
          new Gap(
              name,
              requireNonNull(lost.get(name)),
              requireNonNull(begins.get(name)),
              requireNonNull(ends.get(name)));
      if (policy.start() == Start.FAIL) {
        throw new ConsumerFailedException(
            "Consumer '%s' %s, and on-missing-offset is fail".formatted(consumer, gap) + ADVICE,
            missing);
      }
      OffsetAndMetadata cut = cutAt.get(name);
      long target =
          cut == null ? requireNonNull(starts.get(name)) : Math.max(gap.begin, cut.offset());
      move(gap, target, cut != null);
    }
  }

  private void move(Gap gap, long target, boolean cut) {
    AssignedPartition partition = requireNonNull(assignment.get(gap.partition));
    OffsetTracker tracker = partition.tracker();
    tracker.advance();
    long from = target;
    if (target >= gap.offset && !partition.notDue().isEmpty()) {
      // What waits until it is due is gone from the log, but here.
      seeker.readOnAt(partition, target);
    } else if (target >= gap.offset && tracker.oldestOpen() >= 0) {
      // What is in flight is gone from the log, but here: it is handled before the offset moves.
      seeker.skipTo(gap.partition, target);
    } else {
      // Retention may have overtaken the oldest: then from where the log has the next of them.
      from = Math.max(partition.readOnAt(promise, target), Math.min(gap.begin, target));
      seeker.startAt(gap.partition, from);
    }
    meters.offsetReset();
    LOG.warn(
        "Consumer '{}' {}. It goes on at {} (on-missing-offset: {}); {} records are missed.",
        consumer,
        gap,
        from,
        policy,
        cut ? 0 : from - Math.min(gap.offset, gap.begin));
  }

  private Map<TopicPartition, Long> starts(Collection<TopicPartition> names) {
    List<TopicPartition> others = names.stream().filter(isRetry.negate()).toList();
    Map<TopicPartition, Long> starts =
        new HashMap<>(beginnings(names.stream().filter(isRetry).toList()));
    if (others.isEmpty()) {
      return starts;
    }
    starts.putAll(
        switch (policy.start()) {
          case EARLIEST -> targets.beginning(others);
          case LATEST -> targets.end(others);
          case BY_DURATION -> targets.timestamp(others, clock.now().minus(policy.back()));
          case FAIL -> throw new IllegalStateException("There is nowhere to start.");
        });
    return starts;
  }

  private Map<TopicPartition, Long> beginnings(List<TopicPartition> names) {
    return names.isEmpty() ? Map.of() : targets.beginning(names);
  }

  /** A partition whose log, from begin to end, does not have the offset. */
  private record Gap(TopicPartition partition, long offset, long begin, long end) {
    @Override
    public String toString() {
      return "can't go on at offset %d of %s: its log begins at %d and ends at %d%s"
          .formatted(
              offset,
              partition,
              begin,
              end,
              offset < begin ? "" : ", so it was cut or its topic was made anew");
    }
  }
}
