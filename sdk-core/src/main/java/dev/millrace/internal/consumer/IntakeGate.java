package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.Confinement;
import dev.millrace.internal.keys.PartitionGate;
import dev.millrace.internal.time.EngineClock;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Holds intake back by pausing partitions, so that the poll loop can go on polling. The only one
 * that pauses and resumes. Confined to the poll thread, but for what it says of the user's pauses.
 *
 * <p>Invariant: a partition is paused at the client if and only if there is a cause. Each cause is
 * kept by itself, and whatever changes one compares all with what the client was told. A user's
 * pause is kept by name, so it outlives the ownership; those of flow control end with it.
 */
final class IntakeGate implements PartitionGate {
  private final Confinement confinement = new Confinement("The intake gate");
  private final Consumer<?, ?> consumer;
  private final Assignment assignment;
  private final EngineClock clock;
  private final Predicate<TopicPartition> isAwaited;
  private final Set<TopicPartition> pausedAtClient = new HashSet<>();

  private Map<PauseCause, Instant> shutSince = Map.of();
  private @Nullable Instant circuitOpenSince;
  private final Map<TopicPartition, Map<PauseCause, Instant>> heldSince = new HashMap<>();
  private volatile UserPauses byUser = UserPauses.NONE;

  /**
   * @param assignment says which partitions there are: under the KIP-848 protocol the client's own
   *     view may lose one between two calls, on another thread
   */
  IntakeGate(Consumer<?, ?> consumer, Assignment assignment, EngineClock clock) {
    this(consumer, assignment, clock, partition -> false);
  }

  /**
   * @param isAwaited whether what fills the channel may wait for records of a partition, so that it
   *     is read for want of room, too
   */
  IntakeGate(
      Consumer<?, ?> consumer,
      Assignment assignment,
      EngineClock clock,
      Predicate<TopicPartition> isAwaited) {
    this.consumer = consumer;
    this.assignment = assignment;
    this.clock = clock;
    this.isAwaited = isAwaited;
  }

  /** There is no room for more, but of what is awaited. */
  void shut(PauseCause cause) {
    if (!shutSince.containsKey(cause)) {
      shutSince = Map.of(cause, clock.now());
      apply();
    }
  }

  /** There is room again. */
  void open() {
    if (!shutSince.isEmpty()) {
      shutSince = Map.of();
      apply();
    }
  }

  /** No handler starts; or they do again. */
  void circuitOpen(boolean open) {
    if (open != (circuitOpenSince != null)) {
      circuitOpenSince = open ? clock.now() : null;
      apply();
    }
  }

  boolean isHeld(TopicPartition partition, PauseCause cause) {
    return holds(partition).containsKey(cause);
  }

  @Override
  public void hold(TopicPartition partition, PauseCause cause) {
    heldSince
        .computeIfAbsent(partition, first -> new EnumMap<>(PauseCause.class))
        .putIfAbsent(cause, clock.now());
    apply();
  }

  @Override
  public void release(TopicPartition partition, PauseCause cause) {
    Map<PauseCause, Instant> causes = heldSince.get(partition);
    if (causes != null && causes.remove(cause) != null) {
      apply();
    }
  }

  private Map<PauseCause, Instant> holds(TopicPartition partition) {
    return heldSince.getOrDefault(partition, Map.of());
  }

  /** The user wants something else paused than before. */
  void byUser(UnaryOperator<UserPauses> change) {
    byUser = change.apply(byUser);
    apply();
  }

  boolean isPausedByUser(TopicPartition partition) {
    return byUser.contains(partition);
  }

  /** Returns which owned partitions the user has paused. Any thread. */
  Set<TopicPartition> pausedByUser() {
    UserPauses wanted = byUser;
    Set<TopicPartition> paused = new HashSet<>(assignment.names());
    paused.removeIf(partition -> !wanted.contains(partition));
    return Set.copyOf(paused);
  }

  /** Returns since when the user has paused all, owned or not. Any thread. */
  Optional<Instant> allPausedByUserSince() {
    return byUser.all();
  }

  /** Newly assigned partitions arrive unpaused. */
  void assigned() {
    apply();
  }

  /** Whoever has them next, or we again, starts anew. */
  void gone(Collection<TopicPartition> partitions) {
    pausedAtClient.removeAll(partitions);
    heldSince.keySet().removeAll(partitions);
  }

  /** Returns why an owned partition is paused, and since when; empty when it is not. */
  Map<PauseCause, Instant> causes(TopicPartition partition) {
    Map<PauseCause, Instant> causes = new EnumMap<>(PauseCause.class);
    if (!isAwaited.test(partition)) {
      causes.putAll(shutSince);
    }
    if (circuitOpenSince != null) {
      causes.put(PauseCause.CIRCUIT_OPEN, circuitOpenSince);
    }
    causes.putAll(holds(partition));
    byUser.since(partition).ifPresent(since -> causes.put(PauseCause.USER, since));
    return causes;
  }

  private void apply() {
    confinement.check();
    Set<TopicPartition> pause = new HashSet<>();
    Set<TopicPartition> resume = new HashSet<>();
    for (TopicPartition partition : assignment.names()) {
      boolean wanted = !causes(partition).isEmpty();
      if (wanted != pausedAtClient.contains(partition)) {
        (wanted ? pause : resume).add(partition);
      }
    }
    if (!pause.isEmpty()) {
      consumer.pause(pause);
      pausedAtClient.addAll(pause);
    }
    if (!resume.isEmpty()) {
      consumer.resume(resume);
      pausedAtClient.removeAll(resume);
    }
  }
}
