package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.channel.Tries;
import dev.millrace.internal.offset.OffsetTicket;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.apache.kafka.common.TopicPartition;

/**
 * How often records had been tried here when their partition left, in case it comes back: else one
 * whose partition moves more often than its back-off lasts would never have its last attempt.
 * Confined to the poll thread.
 *
 * <p>Invariant: what is remembered counts once, and for the same record only: not for one that the
 * log has in its place since it was cut or made anew, nor after a seek.
 */
final class EarlierTries {
  /** Of one partition; each costs about 100 bytes. What is not remembered begins with 1 again. */
  private static final int MOST = 1_000;

  private final Map<TopicPartition, Map<Long, Known>> remembered = new HashMap<>();

  private record Known(Tries tries, int fingerprint) {}

  /** Before its records are taken back: then nobody knows them any more. */
  void leaves(AssignedPartition partition) {
    Map<Long, Known> its =
        remembered.computeIfAbsent(partition.partition(), first -> new HashMap<>());
    for (OffsetTicket ticket : partition.tracker().open()) {
      if (!ticket.isDone()
          && ticket.holder() instanceof Delivery delivery
          && (ticket.isRunning() || delivery.tries().inPlace() > 1)
          && its.size() < MOST) {
        delivery
            .fingerprint()
            .ifPresent(print -> its.put(ticket.offset(), new Known(delivery.tries(), print)));
      }
    }
    if (its.isEmpty()) {
      remembered.remove(partition.partition());
    }
  }

  /** After that: an attempt that was under way may have failed meanwhile. */
  void left(AssignedPartition partition) {
    Map<Long, Known> its = remembered.getOrDefault(partition.partition(), Map.of());
    for (OffsetTicket ticket : partition.tracker().open()) {
      Known known = its.get(ticket.offset());
      if (known != null && ticket.holder() instanceof Delivery delivery) {
        if (ticket.isDone() || delivery.tries().inPlace() == 1) {
          its.remove(ticket.offset());
        } else {
          its.put(ticket.offset(), new Known(delivery.tries(), known.fingerprint()));
        }
      }
    }
    remembered.values().removeIf(Map::isEmpty);
  }

  /** What an earlier owner has committed is not delivered again. */
  void comes(AssignedPartition partition) {
    Map<Long, Known> its = remembered.get(partition.partition());
    if (its != null) {
      its.keySet().removeIf(offset -> offset < partition.base());
    }
  }

  void forget(TopicPartition name) {
    remembered.remove(name);
  }

  /** Has a record that is delivered go on where it was. */
  void recall(Delivery delivery, TopicPartition name) {
    Map<Long, Known> its = remembered.isEmpty() ? null : remembered.get(name);
    Known before = its == null ? null : its.remove(delivery.ticket().offset());
    if (before != null && delivery.fingerprint().equals(OptionalInt.of(before.fingerprint()))) {
      delivery.triedBefore(before.tries());
    }
  }
}
