package dev.millrace.internal.consumer;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Holds intake back by pausing partitions, so that the poll loop can go on polling: all of them
 * while the channel is full, a single one while it has run too far ahead. Confined to the poll
 * thread.
 */
final class IntakeGate {
  private final Consumer<?, ?> consumer;
  private final Assignment assignment;
  private final Set<TopicPartition> held = new HashSet<>();
  private boolean shut;

  /**
   * @param assignment says which partitions there are: under the KIP-848 protocol the client's own
   *     view may lose one between two calls, on another thread
   */
  IntakeGate(Consumer<?, ?> consumer, Assignment assignment) {
    this.consumer = consumer;
    this.assignment = assignment;
  }

  void shut() {
    if (!shut) {
      consumer.pause(assignment.names());
      shut = true;
    }
  }

  void open() {
    if (shut) {
      Set<TopicPartition> waiting = new HashSet<>(assignment.names());
      waiting.removeAll(held);
      consumer.resume(waiting);
      shut = false;
    }
  }

  boolean isHeld(TopicPartition partition) {
    return held.contains(partition);
  }

  /** Holds one partition back, whether the gate is open or shut. */
  void hold(TopicPartition partition) {
    held.add(partition);
    consumer.pause(Set.of(partition));
  }

  void release(TopicPartition partition) {
    held.remove(partition);
    if (!shut) {
      consumer.resume(Set.of(partition));
    }
  }

  /** Newly assigned partitions arrive unpaused. */
  void assigned(Collection<TopicPartition> partitions) {
    if (shut) {
      consumer.pause(partitions);
    }
  }

  /** Whoever has them next, or we again, starts anew. */
  void gone(Collection<TopicPartition> partitions) {
    held.removeAll(partitions);
  }
}
