package dev.millrace.testkit.probe;

import java.util.Set;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.TopicPartition;

/**
 * A transaction that is neither committed nor aborted.
 *
 * @param transactionalId whose it is
 * @param producerId its producer
 * @param state what its coordinator says
 * @param partitions what it has written to
 */
public record OpenTransaction(
    String transactionalId,
    long producerId,
    TransactionState state,
    Set<TopicPartition> partitions) {

  /** Copies the partitions. */
  public OpenTransaction {
    partitions = Set.copyOf(partitions);
  }
}
