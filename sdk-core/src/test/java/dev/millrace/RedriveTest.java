package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.errors.MillraceException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The way back: for the group that gave a record up, once, and for no other group. */
@KafkaTest
class RedriveTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        defaults:
          consumers: { retry: { max-attempts: 1 } }
        consumers:
          failing: { topics: ["${TOPIC}"], group-id: "${GROUP}", dead-letter: {} }
          other: { topics: ["${TOPIC}"], group-id: "${GROUP}-other" }
          queue: { mode: queue, topics: ["${TOPIC}"], group-id: "${GROUP}-queue" }
      """;

  private final BrokerFixture broker;
  private final DeadLetterFixture dead;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  RedriveTest(KafkaCluster kafka, TestTopics topics) {
    this.broker = new BrokerFixture(kafka, topics);
    this.dead = new DeadLetterFixture(broker);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void comesBackForItsGroupAsItWasAndForNoOther() throws Exception {
    broker.create(3);
    Header trace = new RecordHeader("trace", new byte[] {0, (byte) 0xFF});
    broker.send(
        new ProducerRecord<>(
            broker.topic(), 2, "a".getBytes(UTF_8), "broken".getBytes(UTF_8), List.of(trace)));
    broker.send("b", "good");
    Queue<String> handled = new ConcurrentLinkedQueue<>();
    Queue<String> byOthers = new ConcurrentLinkedQueue<>();
    AtomicReference<RuntimeException> failure =
        new AtomicReference<>(new IllegalStateException("out of stock"));
    KafkaFactory kafka = broker.factory(CONFIG, registry);
    kafka
        .createConsumer("failing", String.class)
        .subscribe(
            (text, context) -> {
              RuntimeException thrown = failure.get();
              if (thrown != null && text.equals("broken")) {
                throw thrown;
              }
              handled.add(text);
            });
    for (String other : List.of("other", "queue")) {
      kafka
          .createConsumer(other, String.class)
          .subscribe((text, context) -> byOthers.add(other + ":" + text));
    }
    broker.awaitLagZero();
    awaitSame(byOthers, "other:broken", "other:good", "queue:broken", "queue:good");

    failure.set(null);
    RedriveReport report = kafka.deadLetters("failing").redrive(Redrive.of(DeadLetterFilter.all()));

    assertThat(report.redriven()).isEqualTo(1);
    awaitSame(handled, "good", "broken");
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(ended("other", "skipped")).isEqualTo(1);
              assertThat(ended("queue", "skipped")).isEqualTo(1);
            });
    assertThat(byOthers).hasSize(4);
    ConsumerRecord<byte[], byte[]> back =
        broker.read(broker.topic()).readAll().stream()
            .filter(record -> record.headers().lastHeader(DeadLetterHeaders.REDRIVES) != null)
            .findFirst()
            .orElseThrow();
    assertThat(back.partition()).isEqualTo(2);
    assertThat(back.key()).isEqualTo("a".getBytes(UTF_8));
    assertThat(back.value()).isEqualTo("broken".getBytes(UTF_8));
    assertThat(back.headers().toArray()[0]).isEqualTo(trace);
    assertThat(Arrays.stream(back.headers().toArray()).map(Header::key))
        .containsExactlyInAnyOrder(
            "trace",
            "millrace-origin-topic",
            "millrace-origin-partition",
            "millrace-origin-offset",
            "millrace-origin-timestamp",
            "millrace-redrive-group",
            "millrace-redrives",
            "millrace-redrive-check");
  }

  @Test
  void comesBackForItsGroupAlsoByWayOfARetryTopic() throws Exception {
    broker.create(2);
    broker.send("a", "broken");
    Queue<Integer> attempts = new ConcurrentLinkedQueue<>();
    Queue<String> byOthers = new ConcurrentLinkedQueue<>();
    KafkaFactory kafka =
        broker.factory(
            CONFIG.replace("dead-letter: {} }", "dead-letter: {}, retry: { topics: [1ms] } }"),
            registry);
    kafka
        .createConsumer("failing", String.class)
        .subscribe(
            (text, context) -> {
              attempts.add(context.attempt());
              if (attempts.size() < 4) {
                throw new IllegalStateException("out of stock");
              }
            });
    kafka.createConsumer("other", String.class).subscribe((text, context) -> byOthers.add(text));
    broker.awaitLagZero();
    await().atMost(SOON).until(() -> ended("failing", "dead-lettered") == 1);

    RedriveReport report = kafka.deadLetters("failing").redrive(Redrive.of(DeadLetterFilter.all()));

    assertThat(report.redriven()).isEqualTo(1);
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(ended("failing", "handled")).isEqualTo(1);
              assertThat(ended("other", "skipped")).isEqualTo(1);
            });
    assertThat(attempts).containsExactly(1, 2, 1, 2);
    assertThat(byOthers).containsExactly("broken");
    assertThat(ended("failing", "retry-topic")).isEqualTo(2);
    assertThat(ended("failing", "skipped")).isZero();
    assertThat(
            registry
                .get("millrace.consumer.headers.ignored")
                .tag("consumer", "failing")
                .counter()
                .count())
        .isZero();
  }

  /** What keeps coming back is left where it is, until somebody asks for more redrives. */
  @Test
  void staysInQuarantineAfterSoManyRedrives() throws Exception {
    broker.create(1);
    broker.send("a", "broken");
    KafkaFactory kafka = broker.factory(CONFIG, registry);
    kafka
        .createConsumer("failing", String.class)
        .subscribe(
            (text, context) -> {
              throw new IllegalStateException("out of stock");
            });
    DeadLetters letters = kafka.deadLetters("failing");
    Redrive twice = Redrive.of(DeadLetterFilter.all()).quarantineAfter(2);

    for (int redrives = 0; redrives < 2; redrives++) {
      assertThat(awaitOne(letters).redrives()).isEqualTo(redrives);
      assertThat(letters.redrive(twice).redriven()).isEqualTo(1);
    }

    assertThat(awaitOne(letters).redrives()).isEqualTo(2);
    assertThat(letters.redrive(twice))
        .isEqualTo(new RedriveReport(false, 0, 1, 0, 0, 0, 0, Map.of()));
    assertThat(letters.list(DeadLetterFilter.all().redrivenAtLeast(2), 10)).hasSize(1);
    assertThat(letters.redrive(twice.quarantineAfter(3)).redriven()).isEqualTo(1);
  }

  /** A service that copies headers must not hide its own records from everybody. */
  @Test
  void aMarkThatWasCopiedToAnotherRecordIsIgnoredAndCounted() throws Exception {
    dead.create(1);
    dead.send("a", "first", "java.lang.Error", 0);
    KafkaFactory kafka = broker.factory(CONFIG, registry);
    assertThat(kafka.deadLetters("failing").redrive(Redrive.of(DeadLetterFilter.all())).redriven())
        .isEqualTo(1);
    ConsumerRecord<byte[], byte[]> back = broker.read(broker.topic()).awaitCount(1, SOON).get(0);
    broker.send(
        new ProducerRecord<>(
            broker.topic(), 0, back.key(), "mine".getBytes(UTF_8), back.headers()));

    Queue<String> handled = new ConcurrentLinkedQueue<>();
    kafka.createConsumer("other", String.class).subscribe((text, context) -> handled.add(text));

    awaitSame(handled, "mine");
    assertThat(ended("other", "skipped")).isEqualTo(1);
    assertThat(
            registry
                .get("millrace.consumer.headers.ignored")
                .tag("consumer", "other")
                .counter()
                .count())
        .isEqualTo(1);
  }

  /** Whatever is chosen in whatever order, each comes back once, and the rest is still there. */
  @Test
  void whatIsRedrivenIsNotOpenAnyMore() throws Exception {
    dead.create(2);
    for (int i = 0; i < 40; i++) {
      dead.send("key-" + i % 7, "v" + i, i % 2 == 0 ? "java.io.IOException" : "java.lang.Error", 0);
    }
    DeadLetters letters = broker.factory(CONFIG).deadLetters("failing");
    Redrive errors = Redrive.of(DeadLetterFilter.all().cause("Error"));

    assertThat(letters.dryRun(errors))
        .isEqualTo(new RedriveReport(true, 20, 0, 0, 0, 0, 0, Map.of("java.lang.Error", 20L)));
    assertThat(letters.list(DeadLetterFilter.all(), 100)).hasSize(40);
    assertThat(letters.redrive(errors.atMost(5)).redriven()).isEqualTo(5);
    assertThat(letters.redrive(errors).redriven()).isEqualTo(15);
    assertThat(letters.redrive(errors).redriven()).isZero();
    assertThat(letters.list(DeadLetterFilter.all(), 100))
        .hasSize(20)
        .allSatisfy(letter -> assertThat(letter.cause()).isEqualTo("java.io.IOException"));
    DeadLetter one = letters.list(DeadLetterFilter.all().key("key-2"), 1).get(0);
    assertThat(
            letters
                .redrive(Redrive.of(DeadLetterFilter.all().at(one.partition(), one.offset())))
                .redriven())
        .isEqualTo(1);
    assertThat(letters.redrive(Redrive.of(DeadLetterFilter.all())).byCause())
        .isEqualTo(Map.of("java.io.IOException", 19L));

    assertThat(letters.list(DeadLetterFilter.all(), 100)).isEmpty();
    assertThat(broker.read(broker.topic()).readAll().stream().map(RedriveTest::value))
        .hasSize(40)
        .doesNotHaveDuplicates();
  }

  @Test
  void aSecondOneIsRefusedInTheFactoryAndTakesOverFromAnother() throws Exception {
    dead.create(1);
    for (int i = 0; i < 6; i++) {
      dead.send("a", "v" + i, "java.lang.Error", 0);
    }
    KafkaFactory first = broker.factory(CONFIG);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Redrive slow =
        Redrive.of(DeadLetterFilter.all())
            .perSecond(20) // Two in a transaction.
            .onProgress(
                report -> {
                  begun.countDown();
                  hold(goOn);
                });
    CompletableFuture<@Nullable Throwable> end =
        CompletableFuture.supplyAsync(() -> failure(first.deadLetters("failing"), slow));
    BrokerFixture.hold(begun);

    assertThatThrownBy(() -> first.deadLetters("failing").redrive(slow))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("are being redriven already");
    RedriveReport taken =
        broker.factory(CONFIG).deadLetters("failing").redrive(Redrive.of(DeadLetterFilter.all()));
    goOn.countDown();

    assertThat(taken.redriven()).isEqualTo(4);
    assertThat(end.join())
        .isInstanceOf(MillraceException.class)
        .hasMessageContaining("its redrive has ended after 2 records");
    assertThat(broker.read(broker.topic()).readAll().stream().map(RedriveTest::value))
        .containsExactly("v0", "v1", "v2", "v3", "v4", "v5");
  }

  @Test
  void anInterruptAndACloseEndItBetweenTransactions() throws Exception {
    dead.create(1);
    for (int i = 0; i < 6; i++) {
      dead.send("a", "v" + i, "java.lang.Error", 0);
    }
    KafkaFactory kafka = broker.factory(CONFIG);
    Redrive interrupted =
        Redrive.of(DeadLetterFilter.all())
            .perSecond(20)
            .onProgress(report -> Thread.currentThread().interrupt());
    assertThatThrownBy(() -> kafka.deadLetters("failing").redrive(interrupted))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();

    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger transactions = new AtomicInteger();
    Redrive slow =
        Redrive.of(DeadLetterFilter.all())
            .perSecond(1)
            .onProgress(
                report -> {
                  transactions.incrementAndGet();
                  begun.countDown();
                });
    CompletableFuture<@Nullable Throwable> end =
        CompletableFuture.supplyAsync(() -> failure(kafka.deadLetters("failing"), slow));
    BrokerFixture.hold(begun);
    kafka.close();

    int untilClosed = transactions.get();
    assertThat(end.join()).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    assertThat(transactions).as("the close has waited for the last one").hasValue(untilClosed);
    assertThat(
            broker
                .factory(CONFIG)
                .deadLetters("failing")
                .redrive(Redrive.of(DeadLetterFilter.all()))
                .redriven())
        .isBetween(0L, 3L);
    assertThat(broker.read(broker.topic()).readAll().stream().map(RedriveTest::value))
        .containsExactly("v0", "v1", "v2", "v3", "v4", "v5");
  }

  private static @Nullable Throwable failure(DeadLetters letters, Redrive what) {
    try {
      var unused = letters.redrive(what);
      return null;
    } catch (InterruptedException | RuntimeException e) {
      return e;
    }
  }

  private static void hold(CountDownLatch latch) {
    try {
      BrokerFixture.hold(latch);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void awaitSame(Queue<String> seen, String... expected) {
    await().atMost(SOON).untilAsserted(() -> assertThat(seen).containsExactlyInAnyOrder(expected));
  }

  private static DeadLetter awaitOne(DeadLetters letters) {
    return await()
        .atMost(SOON)
        .until(() -> letters.list(DeadLetterFilter.all(), 10), found -> found.size() == 1)
        .get(0);
  }

  private static String value(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.value(), UTF_8);
  }

  private double ended(String consumer, String outcome) {
    return registry
        .get("millrace.consumer.records")
        .tag("consumer", consumer)
        .tag("outcome", outcome)
        .counter()
        .count();
  }
}
