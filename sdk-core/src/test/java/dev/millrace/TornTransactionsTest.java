package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.errors.TransactionUnknownException;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.producer.TransactionalProducer;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultProxy;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.ProxyEvent;
import dev.millrace.testkit.proxy.Requests;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;

/**
 * Transactions whose end is lost or late, that are fenced or expire: what is told is what is in the
 * log, each record is there once or not at all, nothing stays open, and the next transaction works.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TornTransactionsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /**
   * Its client gives a request up after two seconds and a commit soon after; a slow machine needs
   * some of it for all else.
   */
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}", instance-id: host-0 }
        producers:
          ${NAME}:
            topics: ["${NAME}"]
            delivery-semantics: exactly-once
            profile: latency
            transaction: { slots: 1, timeout: "${TIMEOUT}" }
            properties: { max.block.ms: 8000, request.timeout.ms: 2000, delivery.timeout.ms: 120000 }
      """;

  private final List<KafkaFactory> factories = new ArrayList<>();
  private KafkaCluster kafka;
  private FaultProxy proxy;
  private String name;

  @BeforeAll
  void start() {
    kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .proxied()
            .property("transaction.abort.timed.out.transaction.cleanup.interval.ms", "200")
            .start();
    proxy = kafka.node(1).proxy();
  }

  @AfterAll
  void stop() {
    kafka.close();
  }

  @AfterEach
  void close() {
    proxy.heal();
    factories.forEach(KafkaFactory::close);
    factories.clear();
  }

  @Test
  void aLostAnswerToACommitIsAskedForAgain(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "1m");
    FaultRule rule = proxy.dropResponse(ends().first(1), Afterwards.CUT);

    send(producer, "1");

    rule.awaitHit(LONG);
    send(producer, "2");
    assertCommitted("1", "2");
  }

  @Test
  void aCommitWithoutAnyAnswerIsUnknownAndItsLateArrivalChangesNothing(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "5s");
    send(producer, "before");
    FaultRule held = proxy.hold(ends());

    TransactionUnknownException unknown =
        catchThrowableOfType(TransactionUnknownException.class, () -> send(producer, "torn"));

    assertThat(unknown)
        .hasMessageContaining("Producer '" + name + "'")
        .hasMessageContaining("not confirmed");
    held.awaitHit(LONG);
    held.awaitClientsLeft(LONG);
    held.remove();
    // The slot's next client has the brokers end the torn one before anything of its own begins.
    send(producer, "after");
    assertCommitted("before", "after");
    held.release();
    awaitLateAnswers(held);

    send(producer, "last");
    assertCommitted("before", "after", "last");
    assertThat(lateAnswers()).noneMatch(event -> event.answer().contains(Errors.NONE));
  }

  @Test
  void aLateCommitThatArrivesInTheNextTransactionDoesNotCommitIt(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "5s");
    FaultRule held = proxy.hold(ends());
    assertThatThrownBy(() -> send(producer, "torn"))
        .isInstanceOf(TransactionUnknownException.class);
    held.awaitClientsLeft(LONG);
    held.remove();
    IllegalStateException thrown = new IllegalStateException("no");

    assertThatThrownBy(
            () ->
                producer.inTransaction(
                    tx -> {
                      tx.send("k", "aborted").join();
                      held.release();
                      awaitLateAnswers(held);
                      assertThat(committed()).isEmpty();
                      throw thrown;
                    }))
        .isSameAs(thrown);

    send(producer, "after");
    assertCommitted("after");
  }

  @Test
  void aCommitThatWasAppliedButNeverAnsweredIsUnknownAndThereOnce(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "5s");
    FaultRule lost = proxy.dropResponse(ends(), Afterwards.CUT);

    assertThatThrownBy(() -> send(producer, "applied"))
        .isInstanceOf(TransactionUnknownException.class);

    lost.awaitHit(LONG);
    lost.remove();
    send(producer, "after");
    assertCommitted("applied", "after");
  }

  @Test
  void recordsThatWereNeverAcknowledgedAreSurelyNotCommitted(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "5s");
    send(producer, "before");
    FaultRule held = proxy.hold(Requests.of(ApiKeys.PRODUCE).fromClient(client()));

    assertThatThrownBy(() -> send(producer, "stuck"))
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("not everything sent was acknowledged");

    held.awaitHit(LONG);
    held.remove();
    send(producer, "after");
    held.release();
    send(producer, "last");
    assertCommitted("before", "after", "last");
  }

  @Test
  void aSecondProcessOfTheSameInstanceFencesTheFirstWhichIsToldWhy(TestInfo test) {
    TransactionalProducer<String> first = producer(test, "1m");
    send(first, "1");
    TransactionalProducer<String> second = again("1m");
    send(second, "2");

    assertThatThrownBy(() -> first.inTransaction(tx -> tx.send("k", "fenced").get()))
        .hasMessageContaining("epoch");
    // It has made itself a new client, which fences the other in turn: told again, and no double.
    send(first, "3");
    TransactionAbortedException fenced =
        catchThrowableOfType(
            TransactionAbortedException.class,
            () ->
                second.inTransaction(
                    tx -> {
                      tx.send("k", "fenced").exceptionally(thrown -> null).join();
                      return null;
                    }));

    assertThat(fenced)
        .hasMessageContaining(
            "Another process has taken over transactional id '" + name + "-host-0-0'")
        .hasMessageContaining("'instance-id'");
    send(second, "4");
    assertCommitted("1", "2", "3", "4");
  }

  @Test
  void aTransactionThatTheBrokersHaveExpiredIsToldAndTheNextOneWorks(TestInfo test) {
    TransactionalProducer<String> producer = producer(test, "5s");

    assertThatThrownBy(
            () ->
                producer.inTransaction(
                    tx -> {
                      tx.send("k", "expired").join();
                      await().atMost(LONG).until(() -> probe().openTransactions().isEmpty());
                      return null;
                    }))
        .isInstanceOf(TransactionAbortedException.class)
        .hasMessageContaining("'transaction.timeout' is 5000 ms");

    send(producer, "after");
    assertCommitted("after");
  }

  @Test
  void whatAKilledProcessLeftOpenIsAbortedByItsNextLife(TestInfo test) {
    name = test.getTestMethod().orElseThrow().getName();
    kafka.createTopic(name, 1);
    try (KafkaProducer<String, String> killed =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                kafka.directServers(),
                "transactional.id",
                name + "-host-0-0",
                "transaction.timeout.ms",
                600_000),
            new StringSerializer(),
            new StringSerializer())) {
      killed.initTransactions();
      killed.beginTransaction();
      killed.send(new ProducerRecord<>(name, "left open")).get();
      assertThat(probe().openTransactions()).hasSize(1);

      TransactionalProducer<String> unused = again("1m");

      // Nobody has begun a transaction, or made a client, yet.
      await().atMost(LONG).until(() -> probe().openTransactions().isEmpty());
      killed.close(Duration.ZERO);
      unused.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    assertCommitted();
  }

  private TransactionalProducer<String> producer(TestInfo test, String timeout) {
    name = test.getTestMethod().orElseThrow().getName();
    kafka.createTopic(name, 1);
    return again(timeout);
  }

  /** Returns a producer of another process, as far as the brokers can see. */
  private TransactionalProducer<String> again(String timeout) {
    KafkaFactory factory =
        KafkaFactory.create(
            ConfigLoader.create()
                .environment(
                    Map.of("BROKERS", kafka.bootstrapServers(), "NAME", name, "TIMEOUT", timeout))
                .clientSettings(ClientProperties.knownNames())
                .parse("test.yaml", CONFIG.replace("${NAME}:", name + ":")));
    factories.add(factory);
    return factory.createTransactionalProducer(name, String.class);
  }

  private String client() {
    return name + "-0";
  }

  private Requests ends() {
    return Requests.of(ApiKeys.END_TXN).fromClient(client());
  }

  private List<ProxyEvent> lateAnswers() {
    return proxy.events().stream()
        .filter(event -> client().equals(event.clientId()))
        .filter(event -> event.is(ProxyEvent.What.UNDELIVERED, ApiKeys.END_TXN))
        .toList();
  }

  private void awaitLateAnswers(FaultRule held) {
    await().atMost(LONG).until(() -> lateAnswers().size() == held.hits());
  }

  private static void send(TransactionalProducer<String> producer, String value) {
    producer.inTransaction(tx -> tx.send("k", value));
  }

  private TopicProbe probe() {
    return TopicProbe.of(kafka.directServers(), name);
  }

  private List<String> committed() {
    return probe().readAll().stream().map(record -> new String(record.value(), UTF_8)).toList();
  }

  /** Markers come to the log a little after the coordinator has confirmed. */
  private void assertCommitted(String... values) {
    await()
        .atMost(LONG)
        .untilAsserted(
            () -> {
              assertThat(committed()).containsExactly(values);
              assertThat(probe().openTransactions()).isEmpty();
            });
  }
}
