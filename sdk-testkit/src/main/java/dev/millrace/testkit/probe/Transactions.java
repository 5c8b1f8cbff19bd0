package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** Asks the coordinators for transactions. */
final class Transactions {
  private static final Set<TransactionState> OPEN =
      Set.of(
          TransactionState.ONGOING,
          TransactionState.PREPARE_COMMIT,
          TransactionState.PREPARE_ABORT,
          TransactionState.PREPARE_EPOCH_FENCE);

  private final Admin admin;

  Transactions(Admin admin) {
    this.admin = admin;
  }

  List<OpenTransaction> openIn(String topic) {
    List<OpenTransaction> open = new ArrayList<>();
    for (TransactionListing listed :
        Answer.to(
            "list transactions",
            admin.listTransactions(new ListTransactionsOptions().filterStates(OPEN)).all())) {
      describe(listed.transactionalId()).stream()
          .filter(transaction -> OPEN.contains(transaction.state()))
          .filter(t -> t.topicPartitions().stream().anyMatch(p -> p.topic().equals(topic)))
          .map(
              t ->
                  new OpenTransaction(
                      listed.transactionalId(), t.producerId(), t.state(), t.topicPartitions()))
          .forEach(open::add);
    }
    return List.copyOf(open);
  }

  /** Empty when it is gone since it was listed. */
  private List<TransactionDescription> describe(String id) {
    try {
      return List.of(
          Answer.to(
              "describe transaction " + id,
              admin.describeTransactions(List.of(id)).description(id)));
    } catch (TestKitException e) {
      if (e.getCause() instanceof TransactionalIdNotFoundException) {
        return List.of();
      }
      throw e;
    }
  }
}
