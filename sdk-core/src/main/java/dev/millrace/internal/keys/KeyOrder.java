package dev.millrace.internal.keys;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Ordering;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.channel.KeyPlace;
import dev.millrace.internal.channel.LaneTags;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.delivery.RetryRecords;
import dev.millrace.internal.delivery.RetryTopics;
import dev.millrace.internal.delivery.RetryTopics.Own;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.time.LogThrottle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has later records of a key follow one that went on to a retry topic. Confined to the poll thread;
 * the looks into the retry topics, which wait for brokers, have a thread of their own.
 *
 * <p>Invariant: no record of a partition is handed over before it is known which of its keys have
 * records in retry topics; and none of a key that does gets to its handler. Who owns the retry
 * topics' partitions does not matter: what has ended there is asked of the group's commits.
 */
public final class KeyOrder {
  private static final Logger LOG = LoggerFactory.getLogger(KeyOrder.class);
  private static final long BETWEEN_LOOKS_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Of one partition; each costs about 100 bytes. */
  public static final int MOST_KEYS = 100_000;

  private final String consumer;
  private final RetryTopics topics;
  private final PartitionGate gate;
  private final EngineClock clock;
  private final RetryLogs logs;
  private final KeyLook look;
  private final ExecutorService thread;
  private final int mostKeys;
  private final Consumer<Throwable> onBug;
  private final LogThrottle log = new LogThrottle();
  private final Map<TopicPartition, OrderedPartition> owned = new HashMap<>();
  private long nextLookNanos;
  private volatile boolean looking;
  private volatile boolean closed;
  private volatile int keysAhead;

  /**
   * @param thread runs one look at a time
   * @param mostKeys how many keys of a partition may be ahead before no more of it is taken
   * @param onBug told of what a look threw that no broker is to blame for
   */
  public KeyOrder(
      String consumer,
      RetryTopics topics,
      RetryRecords records,
      LaneTags tags,
      PartitionGate gate,
      EngineClock clock,
      RetryLogs logs,
      ExecutorService thread,
      int mostKeys,
      Consumer<Throwable> onBug) {
    this.consumer = consumer;
    this.topics = topics;
    this.gate = gate;
    this.clock = clock;
    this.logs = logs;
    this.look = new KeyLook(logs, records, tags, mostKeys);
    this.thread = thread;
    this.mostKeys = mostKeys;
    this.onBug = onBug;
    this.nextLookNanos = clock.nanos();
  }

  /** Returns whether a consumer's later records of a key follow one that is in a retry topic. */
  public static boolean isKept(ConsumerDefinition definition) {
    RetryTopicsDefinition retries = definition.retry().topics();
    return retries.keepKeyOrder() && retries.levels() > 0;
  }

  /**
   * The loader tells the same of a file, with the lines.
   *
   * @throws InvalidDefinitionException when there is no order of keys, or it can't be kept
   */
  public static void requireOffered(ConsumerDefinition definition) {
    if (isKept(definition)
        && (definition.ordering() != Ordering.KEY
            || definition.deliverySemantics() == DeliverySemantics.EXACTLY_ONCE)) {
      throw new InvalidDefinitionException(
          "Consumer '%s' has 'retry.keep-key-order: true', which needs 'ordering: key', and is not offered exactly-once; remove it, or change those."
              .formatted(definition.name()),
          null);
    }
  }

  /**
   * Asked when there is a handler.
   *
   * @throws InvalidDefinitionException when its records can't be kept in order
   */
  public static void requireOffered(ConsumerDefinition definition, Handling<?> handling) {
    if (isKept(definition) && handling instanceof Handling.InBatches) {
      throw new InvalidDefinitionException(
          "Consumer '%s': a handler of batches has several records of a key at once, so it can't be kept from those behind one that fails; remove 'retry.keep-key-order', or handle records one by one."
              .formatted(definition.name()),
          null);
    }
  }

  /** In a rebalance, before anything is fetched of them. */
  public void assigned(Collection<TopicPartition> partitions) {
    for (TopicPartition name : partitions) {
      List<TopicPartition> later = later(name);
      if (!later.isEmpty()) {
        owned.put(name, new OrderedPartition(name, later));
        gate.hold(name, PauseCause.KEYS_NOT_KNOWN);
        nextLookNanos = clock.nanos();
      }
    }
  }

  private List<TopicPartition> later(TopicPartition name) {
    Own own = topics.own(name.topic());
    String source = own == null ? name.topic() : own.source();
    List<TopicPartition> later = new ArrayList<>();
    for (int level = own == null ? 1 : own.level() + 1; level <= topics.levels(); level++) {
      later.add(new TopicPartition(topics.topic(source, level), name.partition()));
    }
    return later;
  }

  /** In a rebalance. Whoever has them next finds out anew. */
  public void gone(Collection<TopicPartition> partitions) {
    owned.keySet().removeAll(partitions);
  }

  /**
   * Returns where a record stands.
   *
   * @param tag its key's; null when it has no order
   * @return null when it follows nothing: it has no order, or was read from the last retry topic
   */
  public @Nullable KeyPlace place(TopicPartition readFrom, @Nullable Long tag) {
    OrderedPartition partition = owned.get(readFrom);
    if (partition == null) {
      return null;
    }
    if (!partition.isKnown()) {
      throw new IllegalStateException(
          "A record of " + readFrom + " came before it was known which keys are ahead of it.");
    }
    return partition.keys().place(tag);
  }

  /** Starts a look if it is time for one, and has the gate know what the last one has found. */
  public void turn(long now) {
    if (!looking && now - nextLookNanos >= 0 && owned.values().stream().anyMatch(this::isOpen)) {
      nextLookNanos = now + BETWEEN_LOOKS_NANOS;
      looking = true;
      List<OrderedPartition> partitions = List.copyOf(owned.values());
      thread.execute(() -> look(partitions));
    }
    int all = 0;
    for (OrderedPartition partition : owned.values()) {
      int keys = partition.keys().size();
      all += keys;
      if (partition.isKnown()) {
        gate.release(partition.name(), PauseCause.KEYS_NOT_KNOWN);
      }
      if (keys >= mostKeys) {
        gate.hold(partition.name(), PauseCause.TOO_MANY_KEYS_AHEAD);
      } else if (keys <= mostKeys / 2) {
        gate.release(partition.name(), PauseCause.TOO_MANY_KEYS_AHEAD);
      }
    }
    keysAhead = all;
  }

  private boolean isOpen(OrderedPartition partition) {
    return !partition.isKnown() || !partition.keys().isEmpty();
  }

  /** The thread of the looks. */
  private void look(List<OrderedPartition> partitions) {
    try {
      if (!closed) {
        lookAtAll(partitions);
        if (partitions.stream().noneMatch(this::isOpen)) {
          look.rest();
        }
      }
    } catch (KafkaException e) {
      failed(partitions, e);
    } catch (Throwable bug) { // The thread would swallow it, and partitions be held back for ever.
      onBug.accept(bug);
    } finally {
      if (closed) { // It may have opened a client that nobody could wake, and nobody will close.
        rest();
      }
      looking = false;
    }
  }

  /** Where one can't be looked at, for want of a leader or of a right, the others still are. */
  private void lookAtAll(List<OrderedPartition> partitions) {
    try {
      look.look(partitions);
    } catch (KafkaException e) {
      if (partitions.size() == 1) {
        throw e;
      }
      for (OrderedPartition partition : partitions) {
        if (closed) {
          return;
        }
        try {
          look.look(List.of(partition));
        } catch (KafkaException its) {
          failed(List.of(partition), its);
        }
      }
    }
  }

  /** The thread of the looks, at the end; once more does no harm. */
  private void rest() {
    try {
      look.rest();
    } catch (KafkaException e) {
      LOG.info("Consumer '{}' could not close the client of its looks: {}", consumer, e.toString());
    }
  }

  private void failed(List<OrderedPartition> partitions, KafkaException failure) {
    partitions.forEach(partition -> partition.keys().openDoors());
    String end = closed ? null : log.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' can't learn which keys have ended in its retry topics: {}. It asks again; meanwhile keys that are there stay there, and nothing is taken of {}.{}",
          consumer,
          failure.toString(),
          partitions.stream()
              .filter(partition -> !partition.isKnown())
              .map(OrderedPartition::name)
              .toList(),
          end);
    }
  }

  /** Returns how many keys are ahead, as of the last turn. Any thread. */
  public int keysAhead() {
    return keysAhead;
  }

  /** Ends the thread, and what it has open. */
  public void close(Duration bound) {
    closed = true;
    logs.stop();
    thread.execute(this::rest);
    thread.shutdown();
    try {
      if (!thread.awaitTermination(bound.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.warn(
            "Consumer '{}' leaves the client that reads its retry topics to itself.", consumer);
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      thread.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
