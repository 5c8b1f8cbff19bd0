package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Confinement;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.offset.OffsetTracker.Abandoned;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The partitions owned now. Confined to the poll thread, but for the names, which anybody reads.
 */
final class Assignment {
  private final Confinement confinement = new Confinement("The assignment");
  private final Function<AssignedPartition, Runnable> gauges;
  private final Consumer<Abandoned> onLeave;
  private Consumer<AssignedPartition> afterLeave = partition -> {};
  private final Map<TopicPartition, Entry> owned = new HashMap<>();
  private final LeftBehind leftBehind = new LeftBehind();
  private final EarlierTries earlierTries = new EarlierTries();
  private volatile Set<TopicPartition> names = Set.of();

  /**
   * @param onLeave told, once for each partition that leaves or starts anew, what it leaves undone
   */
  Assignment(ConsumerMeters meters, Consumer<Abandoned> onLeave) {
    this(
        partition -> meters.partition(partition.partition(), partition::lag, partition::unsaved),
        onLeave);
  }

  private Assignment(Function<AssignedPartition, Runnable> gauges, Consumer<Abandoned> onLeave) {
    this.gauges = gauges;
    this.onLeave = onLeave;
  }

  /** For partitions that are nobody's own: how far behind they are is not one consumer's matter. */
  static Assignment withoutGauges() {
    return new Assignment(partition -> () -> {}, abandoned -> {});
  }

  /** Set once, before the first partition comes: told of each that has left or started anew. */
  void afterLeave(Consumer<AssignedPartition> told) {
    afterLeave = told;
  }

  void add(AssignedPartition partition) {
    confinement.check();
    earlierTries.comes(partition);
    put(partition);
    names = Set.copyOf(owned.keySet());
  }

  /**
   * Forgets what is known of an owned partition's records: those not done are taken back, none of
   * them counts from now on.
   */
  AssignedPartition startAnew(TopicPartition name) {
    AssignedPartition old = get(name);
    if (old == null) {
      throw new IllegalStateException(name + " is not assigned.");
    }
    AssignedPartition anew = old.anew();
    replace(anew);
    return anew;
  }

  /** Has an owned partition go on with nothing that was delivered before. */
  void replace(AssignedPartition anew) {
    confinement.check();
    Entry old = owned.remove(anew.partition());
    if (old == null) {
      throw new IllegalStateException(anew.partition() + " is not assigned.");
    }
    leaves(old);
    earlierTries.forget(anew.partition());
    put(anew);
  }

  private void put(AssignedPartition partition) {
    owned.put(partition.partition(), new Entry(partition, gauges.apply(partition)));
  }

  /** Forgets the partitions, and takes their records back; those not owned are passed over. */
  void remove(Collection<TopicPartition> gone) {
    confinement.check();
    for (TopicPartition name : gone) {
      Entry entry = owned.remove(name);
      if (entry != null) {
        leaves(entry);
      }
    }
    names = Set.copyOf(owned.keySet());
  }

  /** Returns how often records were tried when their partitions were here before. */
  EarlierTries earlierTries() {
    return earlierTries;
  }

  private void leaves(Entry entry) {
    onLeave.accept(entry.partition().tracker().takeBack());
    afterLeave.accept(entry.partition());
    entry.removeGauges().run();
    leftBehind.add(entry.partition());
  }

  @Nullable AssignedPartition get(TopicPartition name) {
    confinement.check();
    Entry entry = owned.get(name);
    return entry == null ? null : entry.partition();
  }

  /** Returns those of the named partitions that are owned. */
  List<AssignedPartition> owned(Collection<TopicPartition> wanted) {
    List<AssignedPartition> found = new ArrayList<>();
    for (TopicPartition name : wanted) {
      AssignedPartition partition = get(name);
      if (partition != null) {
        found.add(partition);
      }
    }
    return found;
  }

  List<AssignedPartition> all() {
    confinement.check();
    return owned.values().stream().map(Entry::partition).toList();
  }

  /** Returns the records of former partitions whose handlers still run. */
  List<RunningRecord> leftBehind() {
    confinement.check();
    return leftBehind.running();
  }

  /** Any thread. */
  Set<TopicPartition> names() {
    return names;
  }

  private record Entry(AssignedPartition partition, Runnable removeGauges) {}
}
