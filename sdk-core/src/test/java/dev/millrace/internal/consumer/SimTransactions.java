package dev.millrace.internal.consumer;

import static java.util.Objects.requireNonNull;

import dev.millrace.internal.transaction.Transactions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.jspecify.annotations.Nullable;

/**
 * A slice's transactional clients, one after the other, with the real one's habits. While a call
 * waits for the broker, the others go on.
 */
final class SimTransactions implements Transactions {
  private final SimProcess process;
  private final SimWorld world;
  private final SimCoordinator coordinator;
  private final int slice;
  private final String id;

  /** Of the client; it has none before the first, and after one that can't go on. */
  private int epoch = -1;

  private SimCoordinator.@Nullable Transaction current;

  /** Whether something that was sent in the transaction did not arrive. */
  private boolean failed;

  /** Whether one was given up, and nothing is in the next one yet. */
  private boolean givenUp;

  private boolean closed;

  SimTransactions(SimProcess process, int slice, String id) {
    this.process = process;
    this.world = process.world;
    this.coordinator = world.broker.coordinator;
    this.slice = slice;
    this.id = id;
  }

  /** Whether its partitions may be read again from their last commits. */
  boolean hasGivenUp() {
    return givenUp;
  }

  @Override
  public void begin() {
    goesOn();
    world.oracle.require(current == null, "T3: ", id, " begins while ", current, " is open");
    if (world.chaos && world.oneIn(8)) {
      throw new TimeoutException("no coordinator");
    }
    if (epoch < 0) {
      epoch = coordinator.init(id);
      world.log(process, " has a new client of ", id, "#", epoch);
      goesOn();
    }
    failed = false;
    current = new SimCoordinator.Transaction(process, slice, id, epoch);
  }

  @Override
  public void awaitTopic(String topic) {
    if (world.chaos && world.oneIn(40)) {
      throw new TimeoutException("no metadata");
    }
  }

  @Override
  public void send(ProducerRecord<byte[], byte[]> record, Consumer<Throwable> onFailure) {
    boolean waited = process.endsOutsideOfWorker && waitsForRoom();
    SimCoordinator.Transaction transaction = current;
    if (transaction == null && process.ending) {
      throw new IllegalStateException("ended meanwhile");
    }
    givenUp = false;
    world.oracle.require(transaction != null, "T1: ", process, " sends in no transaction");
    boolean ofHandler = record.topic().equals(SimOutputs.TOPIC);
    SimCoordinator.Output output =
        ofHandler
            ? world.oracle.outputs.ofHandler(process, text(record.value()), waited)
            : world.oracle.outputs.ofDeadLetter(
                process,
                new TopicPartition(SimBroker.TOPIC, header(record, "partition")),
                header(record, "offset"),
                SimHandler.life(text(record.value())));
    boolean lost = world.chaos && world.oneIn(40);
    if (lost || !coordinator.send(requireNonNull(transaction), output)) {
      failed = true;
      boolean poison =
          lost && ofHandler && process.definition.deadLetter() != null && world.oneIn(4);
      onFailure.accept(
          poison ? new RecordTooLargeException("too large") : new TimeoutException("no leader"));
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static int header(ProducerRecord<byte[], byte[]> deadLetter, String what) {
    return Integer.parseInt(
        text(deadLetter.headers().lastHeader("millrace-origin-" + what).value()));
  }

  @Override
  public void commit(Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
    SimCoordinator.Transaction transaction = requireNonNull(current);
    SimMember.Snapshot member = process.client.membership.at(group);
    Map<TopicPartition, SimBroker.Commit> commits =
        world.oracle.outputs.asked(transaction, member, offsets);
    givenUp = true; // Until it is known that it is not.
    goesOn();
    if (!offsets.isEmpty()) {
      sendOffsets(transaction, member, commits);
    }
    current = null; // From here on it ends by itself.
    if (failed && world.bug.remembersFailedSends()) {
      abort(transaction);
      throw new KafkaException("a record could not be sent");
    }
    if (world.chaos && world.oneIn(20)) {
      abort(transaction);
      throw new TransactionAbortableException("as the coordinator wants it");
    }
    if (world.chaos && world.oneIn(12)) {
      unanswered(transaction, true);
      if (world.bug.tellsOfUnansweredCommit()) {
        throw new TimeoutException("no answer");
      }
    } else if (!coordinator.endAsAsked(transaction, true)) {
      epoch = -1;
      throw new ProducerFencedException("another one has its place");
    }
    givenUp = false;
    goesOn();
  }

  private void sendOffsets(
      SimCoordinator.Transaction transaction,
      SimMember.Snapshot member,
      Map<TopicPartition, SimBroker.Commit> commits) {
    if (world.chaos && world.oneIn(20)) {
      throw new TimeoutException("no answer to the offsets");
    }
    if (!process.client.membership.isCurrent(member) && world.bug.checksGeneration()) {
      throw new CommitFailedException("of an old generation");
    }
    if (!coordinator.send(transaction, commits, member.owned())) {
      epoch = -1;
      throw new ProducerFencedException("another one has its place");
    }
    goesOn();
    if (world.chaos && world.oneIn(20)) {
      throw new TimeoutException("no answer to the offsets");
    }
  }

  /** It has arrived, or will, or is lost; its client says nothing more. */
  private void unanswered(SimCoordinator.Transaction transaction, boolean commits) {
    world.log(process, " has no answer to the end of ", transaction);
    epoch = -1;
    int dice = world.random.nextInt(3);
    if (dice == 0) {
      boolean unused = coordinator.endAsAsked(transaction, commits);
    } else if (dice == 1) {
      coordinator.endLate(transaction, commits);
    }
  }

  @Override
  public void abort() {
    SimCoordinator.Transaction transaction = current;
    current = null;
    if (transaction != null) {
      abort(transaction);
    }
  }

  private void abort(SimCoordinator.Transaction transaction) {
    givenUp = true;
    goesOn();
    if (world.chaos && world.oneIn(6)) {
      unanswered(transaction, false);
    } else if (!coordinator.endAsAsked(transaction, false)) {
      epoch = -1;
    }
  }

  @Override
  public void close(Duration bound) {
    closed = true;
    SimCoordinator.Transaction transaction = current;
    if (transaction != null && epoch >= 0) {
      unanswered(transaction, false);
    }
  }

  private void goesOn() {
    boolean unused = goesOnUnlessKilled();
    if (closed) {
      throw new KafkaException("closed");
    }
  }

  /** The record has ended, and its channel has not got the room back yet. */
  private boolean waitsForRoom() {
    process.sends++;
    try {
      return goesOnUnlessKilled();
    } finally {
      process.sends--;
    }
  }

  private boolean goesOnUnlessKilled() {
    boolean waited = world.goOnMeanwhile();
    if (process.crashed) {
      throw new SimCrash();
    }
    return waited;
  }
}
