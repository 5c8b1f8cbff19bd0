package dev.millrace.internal.producer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.errors.TransactionSlotsBusyException;
import dev.millrace.errors.TransactionUnknownException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** Which end leaves a slot its client, and what the holder is told; on Kafka's mock producer. */
class TransactionalSlotsTest {
  private static final Duration BOUND = Duration.ofSeconds(10);
  private static final ProducerRecord<byte[], byte[]> RECORD =
      new ProducerRecord<>("t", new byte[] {1});

  private final List<MockProducer<byte[], byte[]>> made = new ArrayList<>();
  private final TransactionalSlots slots = slots("id-0");
  private final TransactionalSlot slot = slots.lease(BOUND);

  @Test
  void aConfirmedCommitKeepsTheClient() {
    OpenTransaction first = slot.begin();
    first.send(RECORD).join();
    first.commit(BOUND);
    OpenTransaction second = slot.begin();
    second.send(RECORD).join();
    assertThat(second.abort()).isNull();

    assertThat(made).hasSize(1);
    assertThat(made.get(0).history()).hasSize(1);
    assertThat(made.get(0).closed()).isFalse();
  }

  @Test
  void aCommitThatTimesOutIsTriedAgainWhileThereIsTime() {
    OpenTransaction transaction = slot.begin();
    transaction.send(RECORD).join();
    client().commitTransactionException = new TimeoutException("no answer");

    TransactionUnknownException unknown =
        catchThrowableOfType(
            TransactionUnknownException.class, () -> transaction.commit(Duration.ZERO));

    assertThat(unknown).hasMessageContaining("Consumer 'c'").hasMessageContaining("no answer");
    assertThat(client().closed()).isTrue();
    OpenTransaction next = slot.begin();
    assertThat(made).hasSize(2);
    assertThat(client().transactionInitialized()).isTrue();
    next.commit(BOUND);
  }

  @Test
  void aFencedCommitIsUnknownSinceItsFirstTryMayHaveArrived() {
    OpenTransaction transaction = slot.begin();
    transaction.send(RECORD).join();
    client().commitTransactionException = new ProducerFencedException("fenced");

    assertThatThrownBy(() -> transaction.commit(BOUND))
        .isInstanceOf(TransactionUnknownException.class)
        .hasMessageContaining("Another process has taken over transactional id 'id-0'");
    assertThat(client().closed()).isTrue();
    assertThat(slot.isWarm()).isFalse();
  }

  @Test
  void aCommitThatTheCoordinatorRefusesIsAbortedAndTheClientStays() {
    OpenTransaction transaction = slot.begin();
    transaction.send(RECORD).join();
    client().commitTransactionException = new TransactionAbortableException("refused");

    assertThatThrownBy(() -> transaction.commit(BOUND))
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("refused")
        .hasNoSuppressedExceptions();
    assertThat(client().transactionAborted()).isTrue();
    assertThat(client().closed()).isFalse();
  }

  @Test
  void aFailedSendIsNeverCommitted() {
    OpenTransaction transaction = slot.begin();
    client().sendException = new KafkaException("too large");
    var sent = transaction.send(RECORD);

    assertThat(sent).isCompletedExceptionally();
    assertThatThrownBy(() -> transaction.commit(BOUND))
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("too large");
    assertThat(client().transactionCommitted()).isFalse();
    assertThat(client().transactionAborted()).isTrue();
  }

  @Test
  void anAbortThatFailsIsToldAndTheClientIsGivenUp() {
    OpenTransaction transaction = slot.begin();
    client().abortTransactionException = new ProducerFencedException("fenced");

    assertThat(transaction.abort()).isInstanceOf(ProducerFencedException.class);
    assertThat(client().closed()).isTrue();
    slot.begin().commit(BOUND);
    assertThat(made).hasSize(2);
  }

  @Test
  void anIdThatIsNotGivenLeavesTheSlotToTheNextTry() {
    TransactionalSlots refused =
        new TransactionalSlots(
            "Consumer 'c'",
            List.of("id-0"),
            BOUND,
            id -> {
              TransactionalClient client = make();
              client().initTransactionException =
                  made.size() == 2 ? null : new TimeoutException("no coordinator");
              return client;
            });
    TransactionalSlot leased = refused.lease(BOUND);

    assertThatThrownBy(leased::begin)
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("'id-0'")
        .hasMessageContaining("no coordinator");
    assertThat(made.get(0).closed()).isTrue();
    leased.begin().commit(BOUND);
  }

  @Test
  void aTransactionIsOverOnce() {
    OpenTransaction over = slot.begin();
    over.commit(BOUND);
    slot.begin();

    assertThatThrownBy(() -> over.send(RECORD)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> over.commit(BOUND)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(over::abort).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(slot::begin)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in a transaction already");
    assertThat(client().uncommittedRecords()).isEmpty();
  }

  @Test
  void aSlotGivenBackInATransactionIsGivenUp() {
    slot.begin();
    slots.giveBack(slot);

    assertThat(client().closed()).isTrue();
    slots.lease(BOUND).begin().commit(BOUND);
    assertThat(made).hasSize(2);
  }

  @Test
  void theLastUsedSlotIsLeasedFirst() {
    TransactionalSlots three = slots("id-0", "id-1", "id-2");
    TransactionalSlot first = three.lease(BOUND);
    TransactionalSlot second = three.lease(BOUND);
    second.begin().commit(BOUND);
    three.giveBack(second);
    three.giveBack(first);

    assertThat(three.lease(BOUND)).isSameAs(second);
    assertThat(three.lease(BOUND).transactionalId()).isEqualTo("id-2");
    assertThat(three.lease(BOUND)).isSameAs(first);
    assertThatThrownBy(() -> three.lease(Duration.ZERO))
        .isInstanceOf(TransactionSlotsBusyException.class)
        .hasMessageContaining("of 3 slots 3 are in use and 0 idle");
  }

  @Test
  void closingDoesNotWaitForAHolderThatHangs() {
    OpenTransaction hanging = slot.begin();
    hanging.send(RECORD).join();

    slots.close(Duration.ofMillis(1));

    assertThat(client().closed()).isTrue();
    assertThat(client().transactionCommitted()).isFalse();
    assertThatThrownBy(() -> hanging.commit(BOUND)).isInstanceOf(TransactionUnknownException.class);
    slots.giveBack(slot);
    assertThatThrownBy(() -> slots.lease(BOUND)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(slot::begin).isInstanceOf(IllegalStateException.class);
    assertThat(made).hasSize(1);
  }

  private TransactionalSlots slots(String... ids) {
    return new TransactionalSlots("Consumer 'c'", List.of(ids), BOUND, id -> make());
  }

  private TransactionalClient make() {
    made.add(new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer()));
    return new TransactionalClient(client(), () -> {});
  }

  /** The last one made. */
  private MockProducer<byte[], byte[]> client() {
    return made.get(made.size() - 1);
  }
}
