package dev.millrace.testkit.proxy;

import static dev.millrace.testkit.proxy.ProxyEvent.What.BLACKHOLED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.DELAYED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.HELD;
import static dev.millrace.testkit.proxy.ProxyEvent.What.RELEASED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.RESPONSE_DROPPED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.UNDELIVERED;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.probe.TopicProbe;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the faults mean to real clients and a real broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RealBrokerTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /** A client that gives a request up soon, for what it would else wait long for. */
  private static final Map<String, Object> HASTY =
      Map.of("request.timeout.ms", 500, "linger.ms", 0, "delivery.timeout.ms", 120_000);

  /** A client that takes a slow broker's answer: by itself it sends nothing twice. */
  private static final Map<String, Object> PATIENT = Map.of("linger.ms", 0);

  private ProxiedBroker broker;
  private FaultProxy proxy;

  @BeforeAll
  void start() {
    broker = ProxiedBroker.start();
    proxy = broker.proxy();
  }

  @AfterAll
  void close() {
    broker.close();
  }

  @AfterEach
  void heal() {
    proxy.heal();
  }

  @Test
  void carriesEverythingUnaltered() throws Exception {
    broker.kafka().createTopic("bytes", 1);
    broker.kafka().createTopic("straight", 1);
    List<byte[]> values = values(8_000);
    double straight = 0;
    double proxied = 0;
    // By turns, so that warming up and neighbors on the machine hit both.
    for (int round = 0; round < 3; round++) {
      straight = Math.max(straight, send(broker.kafka().directServers(), "straight", values));
      proxied = Math.max(proxied, send(broker.bootstrapServers(), "bytes", values));
    }

    System.out.printf(
        "throughput: direct %.1f MB/s, through the proxy %.1f MB/s, ratio %.2f%n",
        straight, proxied, proxied / straight);
    List<byte[]> expected = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      expected.addAll(values);
    }
    assertThat(TopicProbe.of(broker.bootstrapServers(), "bytes").readAll())
        .extracting(record -> record.value())
        .containsExactlyElementsOf(expected);
  }

  @Test
  void aDroppedProduceResponseMakesNoSecondRecord() throws Exception {
    broker.kafka().createTopic("once", 1);
    try (KafkaProducer<String, String> producer = broker.producer("once", PATIENT)) {
      FaultRule rule =
          proxy.dropResponse(
              Requests.of(ApiKeys.PRODUCE).fromClient("once").first(1), Afterwards.CUT);

      producer.send(new ProducerRecord<>("once", "v")).get();

      assertThat(rule.hits()).isEqualTo(1);
      ProxyEvent dropped = proxy.awaitEvent(e -> e.is(RESPONSE_DROPPED, ApiKeys.PRODUCE), LONG);
      assertThat(dropped.answer()).containsExactly(Errors.NONE);
    }
    assertThat(committed("once")).containsExactly("v");
    assertThat(endOffset("once")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"CUT", "SILENT"})
  void aDroppedCommitResponseLeavesTheTransactionCommittedOnce(Afterwards afterwards)
      throws Exception {
    String name = "commit-" + afterwards;
    broker.kafka().createTopic(name, 1);
    try (KafkaProducer<String, String> producer = broker.producer(name, transactional(name))) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(name, "v")).get();
      proxy.dropResponse(Requests.of(ApiKeys.END_TXN).fromClient(name).first(1), afterwards);

      producer.commitTransaction();
    }

    proxy.awaitEvent(
        e -> e.is(RESPONSE_DROPPED, ApiKeys.END_TXN) && name.equals(e.clientId()), LONG);
    assertThat(events(name))
        .filteredOn(e -> e.is(RESPONSE_DROPPED, ApiKeys.END_TXN))
        .singleElement()
        .satisfies(e -> assertThat(e.answer()).containsExactly(Errors.NONE));
    print(name, "commitTransaction() returned");
    // The coordinator answers before the markers are in the log.
    TopicProbe.of(broker.bootstrapServers(), name).awaitCount(1, LONG);
    assertThat(committed(name)).containsExactly("v");
    // The record and one marker.
    assertThat(endOffset(name)).isEqualTo(2);
  }

  @Test
  void aCommitTheClientGaveUpIsAppliedWhenItArrives() throws Exception {
    String name = "late";
    broker.kafka().createTopic(name, 1);
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.END_TXN).fromClient(name));
    Map<String, Object> config = transactional(name);
    // After this it gives the commit up; a slow machine needs some of it for what comes before.
    config.put("max.block.ms", 10_000);
    try (KafkaProducer<String, String> producer = broker.producer(name, config)) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(name, "v")).get();

      assertThatThrownBy(producer::commitTransaction)
          .isInstanceOf(TimeoutException.class)
          .satisfies(e -> print(name, "commitTransaction() threw " + e));

      producer.close(Duration.ZERO);
    }
    assertThat(rule.hits()).isPositive();
    assertThat(events(name)).extracting(ProxyEvent::what).containsOnly(HELD);
    assertThat(committed(name)).isEmpty();
    rule.awaitClientsLeft(LONG);

    rule.release();

    // The client had tried again and again, on a connection each.
    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(lateAnswers(name)).hasSize(rule.hits()));
    assertThat(TopicProbe.of(broker.bootstrapServers(), name).awaitCount(1, LONG)).hasSize(1);
    print(name, "after the release, read_committed sees " + committed(name));
    assertThat(lateAnswers(name))
        .anySatisfy(e -> assertThat(e.answer()).containsExactly(Errors.NONE));
    assertThat(events(name)).filteredOn(e -> e.what() == RELEASED).hasSize(rule.hits());
    assertThat(endOffset(name)).isEqualTo(2);
  }

  @Test
  void aLateCommitDoesNotCommitTheNextTransaction() throws Exception {
    String name = "stray";
    broker.kafka().createTopic(name, 1);
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.END_TXN).fromClient(name).first(1));
    Map<String, Object> config = transactional(name);
    try (KafkaProducer<String, String> producer = broker.producer(name, config)) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(name, "first")).get();
      producer.commitTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(name, "second")).get();
      rule.awaitClientsLeft(LONG);

      rule.release();
      ProxyEvent answer =
          proxy.awaitEvent(
              e -> e.is(UNDELIVERED, ApiKeys.END_TXN) && name.equals(e.clientId()), LONG);
      print(name, "the second transaction is open; read_committed sees " + committed(name));
      assertThat(answer.answer()).doesNotContain(Errors.NONE);
      assertThat(committed(name)).containsExactly("first");
      producer.abortTransaction();
    }
    assertThat(committed(name)).containsExactly("first");
  }

  @Test
  void aBlackHoleLongerThanTheRequestTimeoutLosesAndDoublesNothing() throws Exception {
    broker.kafka().createTopic("hole", 1);
    List<Future<RecordMetadata>> sends = new ArrayList<>();
    try (KafkaProducer<String, String> producer = broker.producer("hole", HASTY)) {
      producer.send(new ProducerRecord<>("hole", "0")).get();
      double before = disconnects(producer);
      proxy.blackHole();
      for (int i = 1; i <= 20; i++) {
        sends.add(producer.send(new ProducerRecord<>("hole", Integer.toString(i))));
      }
      Awaitility.await().atMost(LONG).until(() -> disconnects(producer) > before);
      proxy.awaitEvent(e -> e.what() == BLACKHOLED && e.bytes() > 0, LONG);
      assertThat(sends).noneMatch(Future::isDone);

      proxy.heal();

      for (Future<RecordMetadata> send : sends) {
        send.get();
      }
    }
    assertThat(committed("hole"))
        .containsExactlyElementsOf(IntStream.rangeClosed(0, 20).mapToObj(String::valueOf).toList());
  }

  @Test
  void goesOnWhenTheBrokerComesBack() throws Exception {
    broker.kafka().createTopic("back", 1);
    broker.kafka().stopBroker();
    try (TestClient client = new TestClient(proxy, "early")) {
      assertThatThrownBy(client::receive).isInstanceOf(IOException.class);
    } finally {
      broker.kafka().startBroker();
    }

    try (KafkaProducer<String, String> producer = broker.producer("back", HASTY)) {
      producer.send(new ProducerRecord<>("back", "v")).get();
    }
    assertThat(committed("back")).containsExactly("v");
  }

  @ParameterizedTest
  @CsvSource({"classic, HEARTBEAT", "consumer, CONSUMER_GROUP_HEARTBEAT"})
  void delayedHeartbeatsMoveNoPartition(String protocol, ApiKeys heartbeat) throws Exception {
    String name = "beats-" + protocol;
    broker.kafka().createTopic(name, 1);
    FaultRule rule = proxy.delay(Requests.of(heartbeat).fromClient(name), Duration.ofMillis(300));
    Map<String, Object> config =
        protocol.equals("classic")
            ? Map.of("group.id", name, "heartbeat.interval.ms", 200, "session.timeout.ms", 30_000)
            : Map.of("group.id", name, "group.protocol", protocol);
    AtomicInteger taken = new AtomicInteger();
    try (KafkaConsumer<String, String> consumer = broker.consumer(name, config);
        KafkaProducer<String, String> producer = broker.producer("sender", HASTY)) {
      consumer.subscribe(List.of(name), countingLosses(taken));
      Awaitility.await()
          .atMost(LONG)
          .pollInSameThread()
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(50));
                return !consumer.assignment().isEmpty() && rule.hits() >= 4;
              });
      producer.send(new ProducerRecord<>(name, "v")).get();
      Awaitility.await()
          .atMost(LONG)
          .pollInSameThread()
          .until(() -> consumer.poll(Duration.ofMillis(50)).count() == 1);

      assertThat(taken).hasValue(0);
      assertThat(events(name)).isNotEmpty().allMatch(e -> e.is(DELAYED, heartbeat));
    }
  }

  private static ConsumerRebalanceListener countingLosses(AtomicInteger taken) {
    return new ConsumerRebalanceListener() {
      @Override
      public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        taken.addAndGet(partitions.size());
      }

      @Override
      public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
    };
  }

  private static Map<String, Object> transactional(String id) {
    Map<String, Object> config = new HashMap<>(HASTY);
    config.put("transactional.id", id);
    config.put("request.timeout.ms", 2_000);
    config.put("transaction.timeout.ms", 600_000);
    config.put("max.block.ms", 60_000);
    return config;
  }

  /** Of random bytes and of up to 20 KB, from a fixed seed. */
  private static List<byte[]> values(int count) {
    Random random = new Random(1);
    return IntStream.range(0, count)
        .mapToObj(
            i -> {
              byte[] value = new byte[random.nextInt(i % 100 == 0 ? 20_000 : 2_000)];
              random.nextBytes(value);
              return value;
            })
        .toList();
  }

  /** Returns MB a second. */
  private static double send(String bootstrapServers, String topic, List<byte[]> values) {
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrapServers, "linger.ms", 5);
    long bytes = values.stream().mapToLong(value -> value.length).sum();
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.partitionsFor(topic);
      long start = System.nanoTime();
      List<Future<RecordMetadata>> sends =
          values.stream()
              .map(value -> producer.send(new ProducerRecord<byte[], byte[]>(topic, value)))
              .toList();
      producer.flush();
      assertThat(sends).allMatch(Future::isDone);
      return bytes / 1e6 / ((System.nanoTime() - start) / 1e9);
    }
  }

  private List<ProxyEvent> lateAnswers(String clientId) {
    return events(clientId).stream().filter(e -> e.is(UNDELIVERED, ApiKeys.END_TXN)).toList();
  }

  /** How often the client has given a connection up, or lost it. */
  private static double disconnects(KafkaProducer<String, String> producer) {
    return producer.metrics().values().stream()
        .filter(metric -> metric.metricName().group().equals("producer-metrics"))
        .filter(metric -> metric.metricName().name().equals("connection-close-total"))
        .mapToDouble(metric -> (double) metric.metricValue())
        .sum();
  }

  /** What happened to the client's requests. */
  private List<ProxyEvent> events(String clientId) {
    return proxy.events().stream().filter(e -> clientId.equals(e.clientId())).toList();
  }

  /** Prints what happened to the client's requests and its connections. */
  private void print(String clientId, String what) {
    System.out.println(clientId + ": " + what);
    Set<Integer> connections =
        events(clientId).stream().map(ProxyEvent::connection).collect(Collectors.toSet());
    proxy.events().stream()
        .filter(event -> connections.contains(event.connection()))
        .forEach(event -> System.out.println("  " + event));
  }

  private List<String> committed(String topic) {
    return TopicProbe.of(broker.bootstrapServers(), topic).readAll().stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }

  private long endOffset(String topic) throws Exception {
    TopicPartition partition = new TopicPartition(topic, 0);
    return broker
        .kafka()
        .admin()
        .listOffsets(Map.of(partition, OffsetSpec.latest()))
        .partitionResult(partition)
        .get()
        .offset();
  }
}
