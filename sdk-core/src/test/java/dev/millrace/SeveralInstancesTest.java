package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerListener;
import dev.millrace.consumer.ConsumerState;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.consumer.RecordContext;
import dev.millrace.errors.ConsumerFailedException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code instances: 3}, of one consumer, in one group, behind one handle. */
@KafkaTest
class SeveralInstancesTest {
  private static final int PARTITIONS = 6;
  private static final int KEYS = 60;
  private static final int PER_KEY = 50;
  private static final int CONCURRENCY = 12;

  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final OrderWatch order = new OrderWatch();
  private final ExecutorService executor = Executors.newFixedThreadPool(CONCURRENCY);

  /** Handlers wait for the release when so many records have been handled. */
  private volatile long heldFrom = Long.MAX_VALUE;

  private final AtomicInteger held = new AtomicInteger();
  private final CountDownLatch release = new CountDownLatch(1);

  SeveralInstancesTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    release.countDown();
    broker.close();
    executor.shutdown();
    assertThat(registry.getMeters()).isEmpty();
    BrokerFixture.awaitNoThread("millrace-several-");
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void eachHasItsPartitionsAndEveryKeyIsInOrder(String protocol) {
    broker.create(PARTITIONS);
    Set<TopicPartition> told = ConcurrentHashMap.newKeySet();
    MessageConsumer consumer =
        prepare("group-protocol: " + protocol)
            .listener(
                new ConsumerListener() {
                  @Override
                  public void assigned(Set<TopicPartition> partitions) {
                    told.addAll(partitions);
                  }
                })
            .subscribe((value, context) -> handle(value, context));
    awaitTwoEach();
    fill();

    broker.awaitLagZero();
    order.assertAllHandled(KEYS, PER_KEY);
    assertThat(order.repeated()).isZero();
    assertThat(consumer.assignment()).hasSize(PARTITIONS).isEqualTo(told);
    assertThat(consumer.explain().partitions()).hasSize(PARTITIONS);
    await()
        .atMost(SOON)
        .until(() -> handledBy().values().stream().mapToDouble(it -> it).sum() == KEYS * PER_KEY);
    assertThat(handledBy()).containsOnlyKeys("1", "2", "3").doesNotContainValue(0.0);
  }

  /** All handlers of the three are at work when they are closed; then the service starts again. */
  @ParameterizedTest
  @EnumSource
  void whatIsDoneWhenTheyCloseIsNotHandledAgain(Started how) {
    broker.create(PARTITIONS);
    MessageConsumer consumer = how.start(this, prepare(""));
    awaitTwoEach();
    heldFrom = KEYS; // So early that each instance still has work for all of its permits.
    fill();
    await().atMost(SOON).until(() -> held.get() == CONCURRENCY);
    await()
        .atMost(SOON)
        .until(
            () ->
                inFlightBy().values().stream().mapToDouble(it -> it).sum()
                    >= KEYS * PER_KEY - order.handled());
    Map<String, Double> all = inFlightBy();

    CompletableFuture<@Nullable Void> closed = CompletableFuture.runAsync(consumer::close);
    await("each has taken back what waited")
        .atMost(SOON)
        .until(
            () ->
                inFlightBy().entrySet().stream()
                    .allMatch(left -> left.getValue() < all.get(left.getKey())));
    release.countDown();
    closed.join();
    assertThat(consumer.state()).isEqualTo(ConsumerState.CLOSED);
    assertThat(registry.getMeters()).isEmpty();
    long before = order.handled();
    assertThat(before).isLessThan(KEYS * PER_KEY);

    how.start(this, prepare(""));
    broker.awaitLagZero();
    order.assertAllHandled(KEYS, PER_KEY);
    assertThat(order.repeated()).isZero();
  }

  private enum Started {
    IN_WORKERS,
    ON_AN_EXECUTOR,
    ASYNCHRONOUSLY,
    IN_BATCHES;

    MessageConsumer start(SeveralInstancesTest test, PreparedConsumer<String> prepared) {
      return switch (this) {
        case IN_WORKERS -> prepared.subscribe(test::handle);
        case ON_AN_EXECUTOR -> prepared.subscribe(test::handle, test.executor);
        case ASYNCHRONOUSLY ->
            prepared.subscribeAsync(
                (value, context) ->
                    CompletableFuture.runAsync(() -> test.handle(value, context), test.executor));
        case IN_BATCHES ->
            prepared.subscribeBatch(
                records ->
                    records.forEach(record -> test.handle(record.value(), record.context())));
      };
    }
  }

  @Test
  void oneThatFailsEndsAllWithItsCause() {
    AtomicInteger failed = new AtomicInteger();
    broker.create(PARTITIONS);
    MessageConsumer consumer =
        prepare("")
            .subscribe(
                (value, context) -> {
                  if (value.equals("bad")) {
                    failed.incrementAndGet();
                    throw new IllegalStateException("out of stock");
                  }
                });
    awaitTwoEach();
    broker.send("key", "bad");

    assertThatThrownBy(() -> consumer.awaitClosed(SOON))
        .isInstanceOf(ConsumerFailedException.class)
        .hasMessageContaining(broker.topic())
        .hasRootCauseMessage("out of stock");
    assertThat(failed).as("nobody went on and took the partition over").hasValue(1);
    assertThat(consumer.state()).isEqualTo(ConsumerState.FAILED);
    assertThat(registry.getMeters()).isEmpty();
    BrokerFixture.awaitNoThread("millrace-several-");
  }

  @Test
  void eachHasNamesOfItsOwn() throws Exception {
    broker.create(PARTITIONS);
    prepare("group-instance-id: shop").subscribe((value, context) -> {});
    awaitTwoEach();

    var members =
        Objects.requireNonNull(
                broker
                    .kafka()
                    .admin()
                    .describeConsumerGroups(List.of(broker.group()))
                    .all()
                    .get(SOON.toSeconds(), TimeUnit.SECONDS)
                    .get(broker.group()))
            .members();
    assertThat(members)
        .extracting(MemberDescription::clientId)
        .containsExactlyInAnyOrder("several-1", "several-2", "several-3");
    assertThat(members)
        .extracting(member -> member.groupInstanceId().orElse(""))
        .containsExactlyInAnyOrder("shop-1", "shop-2", "shop-3");
  }

  private void handle(String value, RecordContext context) {
    order.handle(
        String.valueOf(context.key()),
        Long.parseLong(value),
        () -> {
          if (order.handled() >= heldFrom) {
            held.incrementAndGet();
            awaitRelease();
          }
        });
  }

  private void awaitRelease() {
    try {
      BrokerFixture.hold(release);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void awaitTwoEach() {
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(
                        registry.find("millrace.consumer.lag").gauges().stream()
                            .map(gauge -> gauge.getId().getTag("member"))
                            .collect(
                                Collectors.groupingBy(Function.identity(), Collectors.counting())))
                    .isEqualTo(Map.of("1", 2L, "2", 2L, "3", 2L)));
  }

  private Map<String, Double> inFlightBy() {
    return registry.find("millrace.consumer.in.flight").gauges().stream()
        .collect(
            Collectors.toMap(
                gauge -> String.valueOf(gauge.getId().getTag("member")), gauge -> gauge.value()));
  }

  private Map<String, Double> handledBy() {
    return registry.find("millrace.consumer.records").tag("outcome", "handled").counters().stream()
        .collect(
            Collectors.toMap(
                counter -> String.valueOf(counter.getId().getTag("member")),
                counter -> counter.count()));
  }

  private void fill() {
    for (int sequence = 0; sequence < PER_KEY; sequence++) {
      for (int key = 0; key < KEYS; key++) {
        broker.sendLater("key-" + key, Integer.toString(sequence));
      }
    }
    broker.flush();
  }

  private PreparedConsumer<String> prepare(String more) {
    return broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                several:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  instances: 3
                  concurrency: %d
                  retry: { max-attempts: 1 }
                  %s
            """
                .formatted(CONCURRENCY, more),
            registry)
        .createConsumer("several", String.class);
  }
}
