package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.Channel;
import dev.millrace.consumer.ConsumerExplanation.Circuit;
import dev.millrace.consumer.ConsumerExplanation.Outage;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.Permits;
import dev.millrace.consumer.ConsumerExplanation.RateLimit;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.consumer.ConsumerExplanation.Starts;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** One explanation of several instances' own. */
final class JoinedExplanation {
  private static final Comparator<Overdue> OLDEST_FIRST =
      Comparator.comparing((Overdue overdue) -> lasting(overdue.activity())).reversed();

  private JoinedExplanation() {}

  /**
   * @param parts at least one
   */
  static ConsumerExplanation of(String consumer, List<ConsumerExplanation> parts) {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    // The last one was taken last, so that what it says of the whole is the latest.
    ConsumerExplanation last = parts.get(parts.size() - 1);
    return new ConsumerExplanation(
        consumer,
        last.at(),
        last.state(),
        parts.stream().flatMap(part -> part.pausedSince().stream()).min(Comparator.naturalOrder()),
        channel(parts.stream().map(ConsumerExplanation::channel).toList()),
        permits(parts.stream().map(ConsumerExplanation::permits).toList()),
        outage(parts.stream().flatMap(part -> part.deadLetterOutage().stream()).toList()),
        starts(parts.stream().flatMap(part -> part.starts().stream()).toList()),
        parts.stream()
            .flatMap(part -> part.overdue().stream())
            .sorted(OLDEST_FIRST)
            .limit(HandlerWatchdog.MOST_TOLD)
            .toList(),
        parts.stream()
            .flatMap(part -> part.partitions().stream())
            .sorted(Comparator.comparing(Partition::partition, Explainer.BY_NAME))
            .toList(),
        parts.stream().flatMap(part -> part.silence().stream()).findFirst(),
        parts);
  }

  private static Channel channel(List<Channel> parts) {
    return new Channel(
        parts.stream().mapToInt(Channel::records).sum(),
        parts.stream().mapToInt(Channel::capacity).sum(),
        parts.stream().mapToInt(Channel::resting).sum(),
        parts.stream().mapToLong(Channel::bytes).sum(),
        parts.stream().mapToLong(Channel::capacityBytes).sum());
  }

  private static Permits permits(List<Permits> parts) {
    return new Permits(
        parts.stream().mapToInt(Permits::used).sum(), parts.stream().mapToInt(Permits::all).sum());
  }

  private static Optional<Outage> outage(List<Outage> parts) {
    int failures = parts.stream().mapToInt(Outage::failures).sum();
    List<String> topics =
        parts.stream().flatMap(part -> part.topics().stream()).distinct().sorted().toList();
    return parts.stream()
        .max(Comparator.comparing(Outage::lasting))
        .map(longest -> new Outage(topics, longest.lasting(), failures, longest.reason()));
  }

  private static Optional<Starts> starts(List<Starts> parts) {
    return parts.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Starts(
                parts.stream()
                    .flatMap(part -> part.circuit().stream())
                    .max(Comparator.comparing(Circuit::state)),
                parts.stream()
                    .flatMap(part -> part.rateLimit().stream())
                    .reduce(
                        (one, other) -> new RateLimit(one.records() + other.records(), one.per())),
                parts.stream().mapToInt(Starts::waiting).sum()));
  }

  private static Duration lasting(Activity activity) {
    if (activity instanceof Running running) {
      return running.lasting();
    }
    return activity instanceof RunningElsewhere elsewhere ? elsewhere.lasting() : Duration.ZERO;
  }
}
