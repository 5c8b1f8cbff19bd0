package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * One test's topic and group on the shared broker, the factories that work on them, and a raw
 * producer that fills the topic. Closing closes the factories.
 */
final class BrokerFixture implements AutoCloseable {
  /** Long enough for a busy machine; a test that works does not wait for it. */
  static final Duration SOON = Duration.ofSeconds(60);

  private final KafkaCluster kafka;
  private final String topic;
  private final String group;
  private final List<KafkaFactory> factories = new ArrayList<>();
  private final KafkaProducer<byte[], byte[]> source;
  private final List<Future<RecordMetadata>> onTheWay = new ArrayList<>();

  BrokerFixture(KafkaCluster kafka, TestTopics topics) {
    this(kafka, topics.name("source"), topics.groupId("group"));
  }

  /** On a broker of the test's own, which goes with all that is on it. */
  BrokerFixture(KafkaCluster kafka, String topic, String group) {
    this.kafka = kafka;
    this.topic = topic;
    this.group = group;
    this.source =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  /** Creates the test's topic and returns when its partitions can be written to. */
  void create(int partitions) {
    kafka.createTopic(topic, partitions);
  }

  String topic() {
    return topic;
  }

  String group() {
    return group;
  }

  /** Returns a partition of the test's topic. */
  TopicPartition partition(int number) {
    return new TopicPartition(topic, number);
  }

  /** Makes a factory of YAML in which {@code BROKERS}, {@code TOPIC} and {@code GROUP} are set. */
  KafkaFactory factory(String yaml) {
    return factory(yaml, KafkaFactory.builder());
  }

  /** As {@link #factory(String)}, with meters. */
  KafkaFactory factory(String yaml, MeterRegistry registry) {
    return factory(yaml, KafkaFactory.builder().meterRegistry(registry));
  }

  /** As {@link #factory(String)}, with whatever else the builder has been given. */
  KafkaFactory factory(String yaml, KafkaFactory.Builder builder) {
    ConfigLoader loader =
        ConfigLoader.create()
            .environment(
                Map.of("BROKERS", kafka.bootstrapServers(), "TOPIC", topic, "GROUP", group))
            .clientSettings(ClientProperties.knownNames());
    KafkaFactory factory = builder.create(loader.parse("test.yaml", yaml));
    factories.add(factory);
    return factory;
  }

  /** Writes text to the test's topic and waits until it is there. */
  RecordMetadata send(@Nullable String key, @Nullable String value) {
    return send(new ProducerRecord<>(topic, bytes(key), bytes(value)));
  }

  /** Writes a record as it is and waits until it is there. */
  RecordMetadata send(ProducerRecord<byte[], byte[]> record) {
    return done(source.send(record));
  }

  private static byte @Nullable [] bytes(@Nullable String text) {
    return text == null ? null : text.getBytes(UTF_8);
  }

  /** Hands a record to the raw producer; {@link #flush()} waits until it is there. */
  void sendLater(String key, String value) {
    onTheWay.add(
        source.send(new ProducerRecord<>(topic, key.getBytes(UTF_8), value.getBytes(UTF_8))));
  }

  void flush() {
    source.flush();
    onTheWay.forEach(BrokerFixture::done);
    onTheWay.clear();
  }

  GroupProbe progress() {
    return GroupProbe.of(kafka.bootstrapServers(), group, topic);
  }

  /** Waits until the group has committed everything. */
  void awaitLagZero() {
    progress().awaitLagZero(SOON);
  }

  /** Returns what the group has committed for a partition, or -1. */
  long committed(int partition) {
    OffsetAndMetadata offset = progress().committed().get(partition(partition));
    return offset == null ? -1 : offset.offset();
  }

  TopicProbe read(String name) {
    return TopicProbe.of(kafka.bootstrapServers(), name);
  }

  String deadLetterTopic() {
    return topic + "." + group + ".dlq";
  }

  KafkaCluster kafka() {
    return kafka;
  }

  /** Returns the names of the live threads that start with one of the prefixes. */
  static List<String> threads(String... prefixes) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .map(Thread::getName)
        .filter(name -> List.of(prefixes).stream().anyMatch(name::startsWith))
        .sorted()
        .toList();
  }

  /** Whether a consumer's poll thread waits for running handlers: it has taken back the others. */
  static boolean isDraining(String consumer) {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(thread -> thread.getKey().getName().equals("millrace-" + consumer + "-poll"))
        .flatMap(thread -> Arrays.stream(thread.getValue()))
        .anyMatch(frame -> frame.getClassName().endsWith(".Drain"));
  }

  /**
   * Waits until none of these threads is left: a consumer that has ended has told so in its poll
   * thread's last steps.
   */
  static void awaitNoThread(String... prefixes) {
    await().atMost(SOON).untilAsserted(() -> assertThat(threads(prefixes)).isEmpty());
  }

  /** What a blocked handler does: waits for the test to let it go. */
  static void hold(CountDownLatch latch) throws InterruptedException {
    if (!latch.await(SOON.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("The test never let this handler go.");
    }
  }

  /** As if the service were down; the next factory is the service started again. */
  void closeFactories() {
    factories.forEach(KafkaFactory::close);
    factories.clear();
  }

  @Override
  public void close() {
    source.close(Duration.ofSeconds(5));
    closeFactories();
  }

  private static <T> T done(Future<T> sent) {
    try {
      return sent.get();
    } catch (ExecutionException e) {
      throw new AssertionError("The broker refused what the test needs.", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("Interrupted while the test was made ready.", e);
    }
  }
}
