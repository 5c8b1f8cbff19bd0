package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.PayloadException;
import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.errors.TransactionSlotsBusyException;
import dev.millrace.producer.Transaction;
import dev.millrace.producer.TransactionalProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Transactions on a broker that is well: what is visible when, and who gets a slot. */
@KafkaTest
class TransactionsTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          producers: { delivery-semantics: exactly-once, profile: latency }
        producers:
          exact: { topics: ["${TOPIC}"] }
          other: { topics: ["${TOPIC}"] }
          several: { topics: ["${TOPIC}", "${TOPIC}.other"] }
          narrow:
            topics: ["${TOPIC}"]
            transaction: { slots: 1, acquire-timeout: 300ms }
          hasty:
            topics: ["${TOPIC}"]
            transaction: { slots: 1, timeout: 5s }
          plain: { topics: ["${TOPIC}"], delivery-semantics: at-least-once }
      """;

  /** A thread for each task, so that none waits for another. */
  private static final Executor THREADS = task -> new Thread(task, "test-transaction").start();

  private final BrokerFixture broker;
  private final KafkaFactory factory;

  TransactionsTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
    factory = broker.factory(CONFIG);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  record Payment(String id, int cents) {}

  @Test
  void isVisibleAsAWholeAfterTheCommitAndNotBefore() {
    TransactionalProducer<Object> exact = factory.createTransactionalProducer("exact");

    String result =
        exact.inTransaction(
            tx -> {
              tx.send("a", "1").join();
              tx.send("a", new Payment("p-1", 200)).join();
              assertThat(committed()).isEmpty();
              return "done";
            });

    assertThat(result).isEqualTo("done");
    assertThat(awaitCommitted(2)).containsExactly("1", "{\"id\":\"p-1\",\"cents\":200}");
  }

  @Test
  void whatTheWorkThrowsAbortsItAndComesOutAsItIs() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    IOException thrown = new IOException("no");

    assertThatThrownBy(
            () ->
                exact.inTransaction(
                    tx -> {
                      tx.send("a", "aborted").join();
                      throw thrown;
                    }))
        .isSameAs(thrown)
        .hasNoSuppressedExceptions();
    send(exact, "committed");

    assertThat(awaitCommitted(1)).containsExactly("committed");
    assertThat(clients("exact-")).hasSize(1);
  }

  @Test
  void aSendThatFailedKeepsTheWholeFromBeingCommitted() {
    TransactionalProducer<byte[]> exact =
        factory.createTransactionalProducer("exact", byte[].class);

    assertThatThrownBy(
            () ->
                exact.inTransaction(
                    tx -> {
                      var unused = tx.send("a", "small".getBytes(UTF_8));
                      return tx.send("a", new byte[2_000_000]); // and nobody looks at its future
                    }))
        .isInstanceOf(TransactionAbortedException.class)
        .hasCauseInstanceOf(RecordTooLargeException.class)
        .hasMessageContaining("exact");
    send(factory.createTransactionalProducer("exact", String.class), "next");

    assertThat(awaitCommitted(1)).containsExactly("next");
  }

  @Test
  void aSecondTransactionInsideOneIsRefusedAndTheFirstGoesOn() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    TransactionalProducer<String> other =
        factory.createTransactionalProducer("other", String.class);

    exact.inTransaction(
        tx -> {
          assertThatThrownBy(() -> send(exact, "inner"))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("'exact'");
          assertThatThrownBy(() -> send(other, "inner"))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("'other'")
              .hasMessageContaining("'exact'");
          return tx.send("a", "outer");
        });
    send(other, "after");

    assertThat(awaitCommitted(2)).containsExactly("outer", "after");
  }

  @Test
  void aTransactionThatIsOverRefusesAndLeavesTheNextOneAlone() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    Transaction<String> over = exact.inTransaction(tx -> tx);

    exact.inTransaction(
        tx -> {
          assertThatThrownBy(() -> over.send("a", "stray"))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("exact");
          return tx.send("a", "good");
        });

    assertThat(awaitCommitted(1)).containsExactly("good");
  }

  @Test
  void severalTransactionsRunAtTheSameTimeOnSlotsOfTheirOwn() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    CountDownLatch allInside = new CountDownLatch(4);

    CompletableFuture<?>[] all = new CompletableFuture<?>[4];
    for (int i = 0; i < 4; i++) {
      String value = Integer.toString(i);
      all[i] =
          CompletableFuture.runAsync(
              () ->
                  exact.inTransaction(
                      tx -> {
                        allInside.countDown();
                        hold(allInside);
                        return tx.send("a", value);
                      }),
              THREADS);
    }
    CompletableFuture.allOf(all).join();

    assertThat(awaitCommitted(4)).containsExactlyInAnyOrder("0", "1", "2", "3");
    assertThat(clients("exact-")).hasSize(4);
  }

  @Test
  void whoWaitsForASlotInVainIsToldTheNumbers() {
    TransactionalProducer<String> narrow =
        factory.createTransactionalProducer("narrow", String.class);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<RecordMetadata> first =
        CompletableFuture.supplyAsync(
            () ->
                narrow.inTransaction(
                    tx -> {
                      inside.countDown();
                      hold(goOn);
                      return tx.send("a", "first").join();
                    }),
            THREADS);
    hold(inside);

    assertThatThrownBy(() -> send(narrow, "second"))
        .isInstanceOf(TransactionSlotsBusyException.class)
        .hasMessageContaining("Producer 'narrow'")
        .hasMessageContaining("of 1 slots 1 are in use and 0 idle, and 0 more threads wait")
        .hasMessageContaining("transaction.slots")
        .hasMessageMatching(".*within \\d{3,} ms.*");
    goOn.countDown();
    first.join();
    send(narrow, "third");

    assertThat(awaitCommitted(2)).containsExactly("first", "third");
  }

  @Test
  void workThatOutlivesTheTimeoutIsAborted() {
    TransactionalProducer<String> hasty =
        factory.createTransactionalProducer("hasty", String.class);

    assertThatThrownBy(
            () ->
                hasty.inTransaction(
                    tx -> {
                      tx.send("a", "late").join();
                      Awaitility.await().atMost(BrokerFixture.SOON).until(() -> refuses(tx));
                      return null;
                    }))
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("'transaction.timeout' is 5000 ms");
    send(hasty, "in time");

    assertThat(awaitCommitted(1)).containsExactly("in time");
  }

  @Test
  void recordsGoWhereTheDefinitionSaysWithAllThatKafkaLetsThemHave() {
    TransactionalProducer<String> several =
        factory.createTransactionalProducer("several", String.class);
    broker.kafka().createTopic(broker.topic() + ".other", 1);

    several.inTransaction(
        tx -> {
          assertThatThrownBy(() -> tx.send("a", "where?"))
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("say which one");
          assertThatThrownBy(() -> tx.send("elsewhere", "a", "wrong"))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("'elsewhere'");
          var full = new ProducerRecord<>(broker.topic(), 0, 1_000L, "key", "value");
          full.headers().add("trace", new byte[] {7});
          var unused = tx.send(full);
          return tx.send(broker.topic() + ".other", null, null);
        });

    var record = broker.read(broker.topic()).awaitCount(1, BrokerFixture.SOON).get(0);
    assertThat(record.timestamp()).isEqualTo(1_000L);
    assertThat(record.key()).isEqualTo("key".getBytes(UTF_8));
    assertThat(record.headers().lastHeader("trace").value()).containsExactly(7);
    var other = broker.read(broker.topic() + ".other").awaitCount(1, BrokerFixture.SOON).get(0);
    assertThat(other.key()).isNull();
    assertThat(other.value()).isNull();
  }

  @Test
  void aValueThatCannotBeEncodedAborts() {
    TransactionalProducer<Object> exact = factory.createTransactionalProducer("exact");

    assertThatThrownBy(() -> exact.inTransaction(tx -> tx.send("a", new Object())))
        .isInstanceOf(PayloadException.class);
  }

  @Test
  void eachKindOfHandleNeedsItsPromise() {
    assertThatThrownBy(() -> factory.createTransactionalProducer("plain"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("'plain'")
        .hasMessageContaining("exactly-once");
    assertThatThrownBy(() -> factory.createProducer("exact"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("createTransactionalProducer");
  }

  @Test
  void aClosingFactoryLetsATransactionEndAndTakesNoMore() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<RecordMetadata> running =
        CompletableFuture.supplyAsync(
            () ->
                exact.inTransaction(
                    tx -> {
                      inside.countDown();
                      hold(goOn);
                      return tx.send("a", "last").join();
                    }),
            THREADS);
    hold(inside);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(factory::close, THREADS);
    awaitRefusal(exact);
    assertThat(closing).isNotDone();
    goOn.countDown();
    closing.join();
    running.join();

    assertThat(awaitCommitted(1)).containsExactly("last");
    assertThat(clients("exact-")).isEmpty();
    assertThatThrownBy(() -> factory.createTransactionalProducer("other"))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aClosedHandleRefuses() {
    TransactionalProducer<String> exact =
        factory.createTransactionalProducer("exact", String.class);
    exact.close();
    exact.close();

    assertThatThrownBy(() -> send(exact, "1"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("exact");
  }

  @Test
  void anInterruptWhileItWaitsForASlotStaysSet() {
    TransactionalProducer<String> narrow =
        factory.createTransactionalProducer("narrow", String.class);

    Thread.currentThread().interrupt();
    TransactionSlotsBusyException busy =
        catchThrowableOfType(TransactionSlotsBusyException.class, () -> send(narrow, "1"));

    assertThat(Thread.interrupted()).isTrue();
    assertThat(busy).hasCauseInstanceOf(InterruptedException.class);
    send(narrow, "2");
    assertThat(awaitCommitted(1)).containsExactly("2");
  }

  private static boolean refuses(Transaction<String> transaction) {
    try {
      transaction.send("a", "later").join();
      return false;
    } catch (TransactionAbortedException e) {
      return true; // And the work, which goes on in spite of it, is aborted all the same.
    }
  }

  private static void awaitRefusal(TransactionalProducer<String> producer) {
    Awaitility.await()
        .atMost(BrokerFixture.SOON)
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> producer.inTransaction(tx -> null))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("closed"));
  }

  private static void send(TransactionalProducer<String> producer, String value) {
    producer.inTransaction(tx -> tx.send("a", value));
  }

  private static void hold(CountDownLatch latch) {
    try {
      BrokerFixture.hold(latch);
    } catch (InterruptedException e) {
      throw new CompletionException(e);
    }
  }

  private List<String> committed() {
    return texts(broker.read(broker.topic()).readAll());
  }

  /** The coordinator confirms before its markers are in the log. */
  private List<String> awaitCommitted(int count) {
    broker.read(broker.topic()).awaitCount(count, BrokerFixture.SOON);
    return committed();
  }

  private static List<String> texts(List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream().map(record -> new String(record.value(), UTF_8)).toList();
  }

  private static List<String> clients(String clientId) {
    return BrokerFixture.threads("kafka-producer-network-thread | " + clientId);
  }
}
