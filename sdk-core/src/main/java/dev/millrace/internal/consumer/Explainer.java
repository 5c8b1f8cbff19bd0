package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Channel;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.Permits;
import dev.millrace.consumer.ConsumerExplanation.RateLimit;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerExplanation.Starts;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.SendOutages;
import dev.millrace.internal.start.Circuit;
import dev.millrace.internal.start.StartGate;
import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Puts together why a consumer stands where it stands. */
final class Explainer {
  static final Comparator<TopicPartition> BY_NAME =
      Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

  private final ConsumerDefinition definition;
  private final EngineClock clock;
  private final InFlight inFlight;
  private final Workers workers;
  private final SendOutages outages;
  private final @Nullable StartGate starts;
  private final HandlerWatchdog watchdog;
  private final Assignment assignment;
  private final PartitionExplainer partitions;
  private final Supplier<Optional<Instant>> pausedSince;

  /**
   * @param starts null when handlers may start at any time
   * @param pausedSince since when the user has all paused; asked by any thread
   */
  Explainer(
      ConsumerDefinition definition,
      EngineClock clock,
      InFlight inFlight,
      Workers workers,
      SendOutages outages,
      @Nullable StartGate starts,
      HandlerWatchdog watchdog,
      Assignment assignment,
      PartitionExplainer partitions,
      Supplier<Optional<Instant>> pausedSince) {
    this.definition = definition;
    this.clock = clock;
    this.inFlight = inFlight;
    this.workers = workers;
    this.outages = outages;
    this.starts = starts;
    this.watchdog = watchdog;
    this.assignment = assignment;
    this.partitions = partitions;
    this.pausedSince = pausedSince;
  }

  /** Poll thread: nothing is delivered, committed or paused meanwhile; only handlers go on. */
  ConsumerExplanation explain(ConsumerState state) {
    long now = clock.nanos();
    List<Partition> explained =
        assignment.all().stream()
            .sorted(Comparator.comparing(AssignedPartition::partition, BY_NAME))
            .map(partition -> partitions.explain(partition, now))
            .toList();
    return explanation(state, watchdog.overdue(now), explained, Optional.empty());
  }

  /** Any thread: what can be told without the poll thread. */
  ConsumerExplanation fromOutside(ConsumerState state, Optional<Silence> silence) {
    return explanation(state, List.of(), List.of(), silence);
  }

  private ConsumerExplanation explanation(
      ConsumerState state,
      List<Overdue> overdue,
      List<Partition> explained,
      Optional<Silence> silence) {
    return new ConsumerExplanation(
        definition.name(),
        clock.now(),
        state,
        pausedSince.get(),
        new Channel(
            inFlight.inChannel(),
            definition.channelCapacity(),
            inFlight.resting(),
            inFlight.bytes(),
            definition.channelBytes()),
        new Permits(workers.busy(), definition.concurrency()),
        outages.explain(clock.nanos()),
        Optional.ofNullable(starts).map(Explainer::explained),
        overdue,
        explained,
        silence,
        List.of());
  }

  private static Starts explained(StartGate starts) {
    return new Starts(
        Optional.ofNullable(starts.circuit()).map(Circuit::explain),
        Optional.ofNullable(starts.rate())
            .map(rate -> new RateLimit(rate.definition().records(), rate.definition().per())),
        starts.waiting());
  }
}
