package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.Counts;
import dev.millrace.consumer.ConsumerExplanation.FollowsKey;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Queued;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForDeadLetter;
import dev.millrace.consumer.ConsumerExplanation.WaitsForExecutor;
import dev.millrace.consumer.ConsumerExplanation.WaitsForMessage;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetryTopic;
import dev.millrace.consumer.ConsumerExplanation.WaitsForStart;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.Waiting;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Puts together why a partition stands where it stands. Confined to the poll thread; what workers
 * change meanwhile is looked at once, and a record that ends under the look counts as done.
 */
final class PartitionExplainer {
  private final Function<AssignedPartition, OptionalLong> lag;
  private final Function<TopicPartition, Map<PauseCause, Instant>> pauses;

  /**
   * @param lag how far behind its log end a partition is; empty while it is not known
   * @param pauses why a partition is paused, and since when
   */
  PartitionExplainer(
      Function<AssignedPartition, OptionalLong> lag,
      Function<TopicPartition, Map<PauseCause, Instant>> pauses) {
    this.lag = lag;
    this.pauses = pauses;
  }

  Partition explain(AssignedPartition partition, long now) {
    OffsetTracker tracker = partition.tracker();
    tracker.advance();
    Tally tally = new Tally(now);
    tracker.open().forEach(tally::add);
    OptionalLong position = tracker.position();
    return new Partition(
        partition.partition(),
        lag.apply(partition),
        position,
        tally.oldest == null ? position : OptionalLong.of(tally.oldest.offset()),
        partition.commits().commits(),
        Optional.ofNullable(tally.oldest),
        new Counts(tally.queued, tally.running, tally.parked, tally.doneBeyond, tracker.unsaved()),
        pauses(partition));
  }

  /** What waits until it is due is no cause to pause, as long as it is not much. */
  private Map<PauseCause, Instant> pauses(AssignedPartition partition) {
    Map<PauseCause, Instant> all = new HashMap<>(pauses.apply(partition.partition()));
    partition.notDue().since().ifPresent(since -> all.put(PauseCause.NOT_DUE, since));
    return all;
  }

  /** One partition's delivered records, from the oldest to the newest. */
  private static final class Tally {
    private final long now;
    private @Nullable Unfinished oldest;
    private int queued;
    private int running;
    private int parked;
    private int doneBeyond;

    Tally(long now) {
      this.now = now;
    }

    void add(OffsetTicket ticket) {
      // A ticket without a delivery is of a record that was done before.
      if (ticket.isDone() || !(ticket.holder() instanceof Delivery delivery)) {
        countDone();
        return;
      }
      if (oldest == null) {
        Unfinished looked = look(ticket, delivery);
        if (ticket.isDone()) {
          return; // Meanwhile; nothing older is open, so the frontier is past it.
        }
        oldest = looked;
      }
      Waiting waiting = delivery.waiting();
      if (isParked(waiting)) {
        parked++;
      } else if (ticket.isRunning()) {
        running++;
      } else if (ticket.isDone()) {
        countDone();
      } else {
        queued++;
      }
    }

    /** Done ones that nothing older keeps open ended after the frontier was looked at. */
    private void countDone() {
      doneBeyond += oldest == null ? 0 : 1;
    }

    private Unfinished look(OffsetTicket ticket, Delivery delivery) {
      Activity activity = activity(ticket, delivery);
      byte[] key = delivery.key();
      return new Unfinished(
          ticket.offset(),
          Optional.ofNullable(key).map(KeyText::of),
          delivery.attempt(),
          Duration.ofNanos(now - delivery.queuedNanos()),
          activity);
    }

    private Activity activity(OffsetTicket ticket, Delivery delivery) {
      Waiting waiting = delivery.waiting();
      if (waiting instanceof Waiting.ForRetry retry && isParked(retry)) {
        return new WaitsForRetry(Duration.ofNanos(retry.dueNanos() - now), retry.failure());
      }
      if (waiting instanceof Waiting.ForDeadLetter letter) {
        return new WaitsForDeadLetter(
            Duration.ofNanos(now - letter.sinceNanos()), letter.failure());
      }
      if (waiting instanceof Waiting.ForRetryTopic topic) {
        return new WaitsForRetryTopic(
            topic.level(), Duration.ofNanos(now - topic.sinceNanos()), topic.failure());
      }
      if (waiting instanceof Waiting.ForKey key) {
        return new FollowsKey(Duration.ofNanos(now - key.sinceNanos()));
      }
      if (waiting instanceof Waiting.ForMessage message) {
        return new WaitsForMessage(Duration.ofNanos(now - message.sinceNanos()), message.why());
      }
      if (waiting instanceof Waiting.ForStart start) {
        return new WaitsForStart(Duration.ofNanos(now - start.sinceNanos()), start.why());
      }
      if (waiting instanceof Waiting.ForExecutor executor) {
        return new WaitsForExecutor(Duration.ofNanos(now - executor.sinceNanos()));
      }
      if (waiting != null || !ticket.isRunning()) {
        return new Queued();
      }
      return RunningRecord.activity(delivery, now).orElseGet(Queued::new);
    }

    /** A retry that is due waits for a worker, like any other. */
    private boolean isParked(@Nullable Waiting waiting) {
      return waiting instanceof Waiting.ForRetry retry
          ? retry.dueNanos() - now > 0
          : waiting instanceof Waiting.ForDeadLetter
              || waiting instanceof Waiting.ForRetryTopic
              || waiting instanceof Waiting.ForKey
              || waiting instanceof Waiting.ForMessage;
    }
  }
}
