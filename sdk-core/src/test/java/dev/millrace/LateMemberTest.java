package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The poll thread stands still for longer than {@code max.poll.interval.ms}, as in a long
 * collection or a stopped process, while the channel is full: the group moves on without the
 * member, which must find back by itself.
 */
@KafkaTest
class LateMemberTest {
  private static final int ROUNDS = 4;
  private static final int RECORDS = 4_000;

  /** More than the channel holds, so that the poll thread takes more while they are handled. */
  private static final int SOME = 200;

  private final BrokerFixture broker;

  /** How many records may be handled: each round must find enough of them left. */
  private final Semaphore allowed = new Semaphore(0);

  LateMemberTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    StandStill.release();
    broker.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aMemberThatTheGroupGaveUpComesBackAndLosesNothing(String protocol) throws Exception {
    broker.create(4);
    for (int i = 0; i < RECORDS; i++) {
      broker.sendLater("key-" + i % 100, Integer.toString(i));
    }
    broker.flush();
    Set<String> handled = ConcurrentHashMap.newKeySet();
    MessageConsumer consumer =
        broker
            .factory(
                """
                kafka:
                  common: { bootstrap-servers: "${BROKERS}" }
                  consumers:
                    late:
                      topics: ["${TOPIC}"]
                      group-id: ${GROUP}
                      drain-timeout: 100ms
                      concurrency: 2
                      channel-capacity: 100
                      properties:
                        group.protocol: %s
                        max.poll.interval.ms: 1500
                        max.poll.records: 50
                        interceptor.classes: %s
                """
                    .formatted(protocol, StandStill.class.getName()))
            .createConsumer("late", String.class)
            .subscribe(
                (value, context) -> {
                  allowed.acquire();
                  handled.add(value);
                });

    for (int round = 0; round < ROUNDS; round++) {
      StandStill.nextPoll();
      allowed.release(SOME);
      StandStill.awaitReached();
      await()
          .atMost(BrokerFixture.SOON)
          .until(() -> members() == 0 || consumer.state() != ConsumerState.RUNNING);
      StandStill.release();
      int before = handled.size();
      await()
          .atMost(BrokerFixture.SOON)
          .until(
              () -> {
                boolean goesOn = handled.size() > before + 100;
                // How many are handled again first, nobody knows: what was not committed.
                if (!goesOn && allowed.availablePermits() == 0) {
                  allowed.release(SOME);
                }
                return goesOn || consumer.state() != ConsumerState.RUNNING;
              });
      assertThat(consumer.failure()).as("round %d", round).isEmpty();
    }

    allowed.release(2 * RECORDS);
    await().atMost(BrokerFixture.SOON).until(() -> handled.size() == RECORDS);
    broker.awaitLagZero();
    assertThat(consumer.failure()).isEmpty();
  }

  private int members() throws Exception {
    return broker
        .kafka()
        .admin()
        .describeConsumerGroups(List.of(broker.group()))
        .describedGroups()
        .get(broker.group())
        .get()
        .members()
        .size();
  }

  /** Kafka calls it on the poll thread, inside the poll. Made by name, hence public and static. */
  public static final class StandStill implements ConsumerInterceptor<byte[], byte[]> {
    private static final AtomicReference<@Nullable CountDownLatch> ARMED = new AtomicReference<>();
    private static volatile CountDownLatch reached = new CountDownLatch(1);
    private static volatile CountDownLatch released = new CountDownLatch(1);

    static void nextPoll() {
      reached = new CountDownLatch(1);
      released = new CountDownLatch(1);
      ARMED.set(released);
    }

    static void awaitReached() throws InterruptedException {
      BrokerFixture.hold(reached);
    }

    static void release() {
      released.countDown();
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
      CountDownLatch until = ARMED.getAndSet(null);
      if (until != null) {
        reached.countDown();
        try {
          BrokerFixture.hold(until);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }
}
