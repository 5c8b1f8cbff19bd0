package dev.millrace.consumer;

import static dev.millrace.consumer.ExplanationText.time;

import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.CommitFailure;
import dev.millrace.consumer.ConsumerExplanation.FollowsKey;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Queued;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForDeadLetter;
import dev.millrace.consumer.ConsumerExplanation.WaitsForExecutor;
import dev.millrace.consumer.ConsumerExplanation.WaitsForMessage;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetryTopic;
import dev.millrace.consumer.ConsumerExplanation.WaitsForStart;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One sentence on a partition: what holds the offset first, then what keeps more from coming. Pure.
 */
final class Verdict {
  private Verdict() {}

  static String on(Partition partition) {
    List<String> reasons = new ArrayList<>();
    partition.commits().failure().ifPresent(failure -> reasons.add(failing(failure)));
    partition.oldest().ifPresent(oldest -> reasons.add(waiting(partition, oldest)));
    partition.pauses().forEach((cause, since) -> reasons.add(paused(cause, since)));
    return reasons.isEmpty() ? undisturbed(partition) : String.join("; ", reasons);
  }

  private static String failing(CommitFailure failure) {
    return "commit fails since " + time(failure.since()) + ": " + failure.error();
  }

  private static String waiting(Partition partition, Unfinished oldest) {
    return "waits for %s@%d, %s"
        .formatted(partition.partition(), oldest.offset(), activity(oldest));
  }

  private static String activity(Unfinished oldest) {
    Activity activity = oldest.activity();
    if (activity instanceof WaitsForRetry retry) {
      return "whose attempt %d follows in %s after %s"
          .formatted(oldest.attempt(), time(retry.due()), retry.failure());
    }
    return activity instanceof Queued
        ? "queued for " + time(oldest.sincePolled())
        : activity(activity);
  }

  /** Returns what there is to say of it without the record. */
  static String activity(Activity activity) {
    if (activity instanceof Running running) {
      return "running for " + time(running.lasting()) + " in " + running.in();
    }
    if (activity instanceof RunningElsewhere elsewhere) {
      return "whose stage has not completed for " + time(elsewhere.lasting());
    }
    if (activity instanceof WaitsForExecutor executor) {
      return "which its executor has not begun for " + time(executor.lasting());
    }
    if (activity instanceof WaitsForDeadLetter letter) {
      return "whose dead letter is not acknowledged for %s after %s"
          .formatted(time(letter.lasting()), letter.failure());
    }
    if (activity instanceof WaitsForMessage message) {
      return "which has waited for %s, since %s".formatted(time(message.lasting()), message.why());
    }
    if (activity instanceof WaitsForRetryTopic topic) {
      return "which retry topic %d has not acknowledged for %s after %s"
          .formatted(topic.level(), time(topic.lasting()), topic.failure());
    }
    if (activity instanceof WaitsForStart start) {
      return "which has waited for %s, since %s".formatted(time(start.lasting()), start.why());
    }
    if (activity instanceof FollowsKey follows) {
      return "which has waited for %s, since its key is in a retry topic"
          .formatted(time(follows.lasting()));
    }
    throw new IllegalStateException("No words for " + activity);
  }

  static String paused(PauseCause cause, Instant since) {
    return Map.of(
                PauseCause.USER, "paused by the user",
                PauseCause.CHANNEL_FULL, "held back by the full channel",
                PauseCause.RESTING_FULL,
                    "held back because too many records rest until their next attempt",
                PauseCause.SHARE_USED,
                    "held back because it has more than its share of the channel",
                PauseCause.TOO_FAR_AHEAD, "held back because it ran too far ahead",
                PauseCause.NOT_DUE, "waits for its next record to be due",
                PauseCause.CIRCUIT_OPEN, "held back because the circuit is open",
                PauseCause.KEYS_NOT_KNOWN,
                    "held back until it is known which of its keys are in retry topics",
                PauseCause.TOO_MANY_KEYS_AHEAD,
                    "held back because too many of its keys are in retry topics",
                PauseCause.RANGE_READ, "read to the end of the replay's range")
            .get(cause)
        + " since "
        + time(since);
  }

  private static String undisturbed(Partition partition) {
    if (partition.lag().orElse(0) > 0) {
      return "reads on, " + partition.lag().getAsLong() + " behind";
    }
    if (partition.position().isEmpty()) {
      return "no records";
    }
    return partition.lag().isPresent() ? "up to date" : "nothing unfinished, log end not known";
  }
}
