package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.deadletter.DeadLetterHeaders;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A topic of records of which each has its own fate, and the topics that those come to which fail.
 * Of all records 5 % fail for a time, 1 % for ever, and 0.1 % can't be decoded.
 */
final class FailingTopic implements AutoCloseable {
  /** In each topic. */
  static final int ATTEMPTS = 2;

  /** Of its retry topics. */
  static final List<String> DELAYS = List.of("100ms", "300ms");

  private static final int ATTEMPTS_IN_ALL = ATTEMPTS * (DELAYS.size() + 1);
  private static final int FOR_EVER = 1_000_000;
  private static final int UNDECODABLE = -1;
  private static final Duration LONG = Duration.ofMinutes(5);

  private final KafkaCluster kafka;
  private final String topic;
  private final String group;

  /** At how many attempts each record fails; by its number. */
  private final List<Integer> fates;

  private final KafkaProducer<byte[], byte[]> producer;
  private final List<Future<?>> sent = new ArrayList<>();

  /** The records by where they stand. */
  private final Map<String, ConsumerRecord<byte[], byte[]>> sources = new HashMap<>();

  FailingTopic(KafkaCluster kafka, String topic, String group, int records, Random random) {
    this.kafka = kafka;
    this.topic = topic;
    this.group = group;
    this.fates = fates(records, random);
    this.producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.directServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
  }

  private static List<Integer> fates(int records, Random random) {
    List<Integer> fates = new ArrayList<>();
    for (int i = 0; i < records / 20; i++) {
      fates.add(1 + i % (ATTEMPTS_IN_ALL - 1));
    }
    fates.addAll(Collections.nCopies(records / 100, FOR_EVER));
    fates.addAll(Collections.nCopies(records / 1000, UNDECODABLE));
    fates.addAll(Collections.nCopies(records - fates.size(), 0));
    Collections.shuffle(fates, random);
    return fates;
  }

  String name() {
    return topic;
  }

  String deadLetters() {
    return topic + "." + group + ".dlq";
  }

  private String retryTopic(int level) {
    return topic + "." + group + ".retry." + level;
  }

  /** The topics that the group reads, each before those that its records go to. */
  private List<String> read() {
    return IntStream.rangeClosed(0, DELAYS.size())
        .mapToObj(level -> level == 0 ? topic : retryTopic(level))
        .toList();
  }

  /** Has the records from a number on written; some without a key, all with headers. */
  void publish(int from, int to) {
    for (int i = from; i < to; i++) {
      sent.add(producer.send(record(i)));
    }
  }

  @Override
  public void close() {
    producer.close();
  }

  private ProducerRecord<byte[], byte[]> record(int number) {
    int fate = fates.get(number);
    byte[] value =
        fate == UNDECODABLE
            ? new byte[] {(byte) 0xFF, 0, (byte) number}
            : "{ \"number\": %d, \"failures\": %d }".formatted(number, fate).getBytes(UTF_8);
    return new ProducerRecord<>(
        topic,
        null,
        number % 7 == 0 ? null : ("key-" + number % 500).getBytes(UTF_8),
        value,
        List.of(
            new RecordHeader("number", Integer.toString(number).getBytes(UTF_8)),
            new RecordHeader("tag", new byte[] {(byte) 0xFF, 0}),
            new RecordHeader("tag", null)));
  }

  /**
   * Waits until each record is written and has come to its end, topic by topic: when the offsets
   * are at the end of one, all that goes on to the next is written there, and in no open
   * transaction.
   */
  void awaitAllEnded() throws Exception {
    for (Future<?> record : sent) {
      record.get();
    }
    for (String next : read()) {
      awaitNothingOpen(next);
      progress(next).awaitLagZero(LONG);
    }
    awaitNothingOpen(deadLetters());
  }

  private void awaitNothingOpen(String name) {
    TopicProbe probe = probe(name);
    await()
        .atMost(LONG)
        .until(
            () ->
                probe.offsets().values().stream()
                    .allMatch(offsets -> offsets.lastStable() == offsets.end()));
  }

  private TopicProbe probe(String name) {
    return TopicProbe.of(kafka.directServers(), name);
  }

  private GroupProbe progress(String... names) {
    return GroupProbe.of(kafka.directServers(), group, names);
  }

  /** Reads what was published; before it is looked at what has become of it. */
  void readAll() {
    for (ConsumerRecord<byte[], byte[]> source : probe(topic).readAll()) {
      sources.put(place(source.partition(), source.offset()), source);
    }
    assertThat(sources).hasSize(fates.size());
  }

  /** When nobody works any more: the offsets are at the ends, and none has ever gone back. */
  void assertOffsetsAtTheEnds() {
    String[] names = read().toArray(String[]::new);
    Map<TopicPartition, OffsetAndMetadata> committed = progress(names).committed();
    Evidence.Builder evidence = Evidence.builder().commits(progress(names).commits());
    for (String name : names) {
      evidence.offsets(probe(name).offsets());
      Map<TopicPartition, Long> ends = new HashMap<>();
      for (ConsumerRecord<byte[], byte[]> record : probe(name).readAll()) {
        ends.merge(new TopicPartition(name, record.partition()), record.offset() + 1, Math::max);
      }
      ends.forEach(
          (partition, end) -> {
            OffsetAndMetadata offset = committed.get(partition);
            assertThat(offset).as("committed of %s", partition).isNotNull();
            assertThat(offset.offset())
                .as("committed of %s", partition)
                .isGreaterThanOrEqualTo(end);
            assertThat(offset.metadata()).as("saved beyond the end of %s", partition).isEmpty();
          });
    }
    Guarantee.checkAll(evidence.build(), Guarantee.commitsMonotonic()).assertHolds();
  }

  /**
   * Those that never end well are there, and no other, each as it was.
   *
   * @return how often each is there, by number
   */
  Map<Integer, Integer> assertDeadLetters() {
    return assertThere(
        deadLetters(),
        DeadLetterHeaders.ORIGIN_PREFIX,
        fate -> fate == UNDECODABLE || fate >= ATTEMPTS_IN_ALL);
  }

  /**
   * As {@link #assertDeadLetters}, of those that have failed often enough for each retry topic.
   *
   * @return by topic and number
   */
  Map<String, Integer> assertRetried() {
    Map<String, Integer> all = new HashMap<>();
    for (int level = 1; level <= DELAYS.size(); level++) {
      String name = retryTopic(level);
      int failures = ATTEMPTS * level;
      assertThere(name, "millrace-retry-origin-", fate -> fate >= failures)
          .forEach((number, times) -> all.put(name + "#" + number, times));
    }
    return all;
  }

  /**
   * Each record that is to be handled has been, and no other.
   *
   * @param handled by number, how often
   */
  void assertHandled(Map<Integer, Integer> handled) {
    assertExpected("handled", handled, fate -> fate >= 0 && fate < ATTEMPTS_IN_ALL);
  }

  /** Returns the numbers of what a service's handlers have sent, and how often it is there. */
  Map<Integer, Integer> outputs(String out) {
    Map<Integer, Integer> times = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> output : probe(out).readAll()) {
      String[] words = new String(output.value(), UTF_8).split("[^0-9]+", -1);
      times.merge(Integer.parseInt(words[1]), 1, Integer::sum);
    }
    return times;
  }

  /** Returns the number of the record that stands there. */
  int number(int partition, long offset) {
    return number(Objects.requireNonNull(sources.get(place(partition, offset))));
  }

  private static int number(ConsumerRecord<byte[], byte[]> source) {
    return Integer.parseInt(text(source, "number"));
  }

  boolean isUndecodable(int number) {
    return fates.get(number) == UNDECODABLE;
  }

  private static String place(int partition, long offset) {
    return partition + "@" + offset;
  }

  private Map<Integer, Integer> assertThere(
      String name, String originPrefix, IntPredicate expected) {
    Map<Integer, Integer> times = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> found : probe(name).readAll()) {
      assertThat(text(found, originPrefix + "topic")).isEqualTo(topic);
      String place =
          text(found, originPrefix + "partition") + "@" + text(found, originPrefix + "offset");
      ConsumerRecord<byte[], byte[]> source = sources.get(place);
      assertThat(source).as("origin %s of %s", place, name).isNotNull();
      assertSame(found, source);
      assertThat(text(found, originPrefix + "timestamp"))
          .isEqualTo(Long.toString(source.timestamp()));
      times.merge(number(source), 1, Integer::sum);
    }
    assertExpected("in " + name, times, expected);
    return times;
  }

  /** Bytes and headers, with nothing behind them but Millrace's own. */
  private static void assertSame(
      ConsumerRecord<byte[], byte[]> found, ConsumerRecord<byte[], byte[]> source) {
    assertThat(found.key()).isEqualTo(source.key());
    assertThat(found.value()).isEqualTo(source.value());
    Header[] headers = found.headers().toArray();
    Header[] own = source.headers().toArray();
    assertThat(Arrays.copyOf(headers, own.length)).containsExactly(own);
    assertThat(Arrays.stream(headers).skip(own.length))
        .allMatch(header -> header.key().startsWith(DeadLetterHeaders.PREFIX));
  }

  private void assertExpected(String where, Map<Integer, Integer> times, IntPredicate expected) {
    Map<Integer, Integer> missing = new TreeMap<>();
    for (int number = 0; number < fates.size(); number++) {
      if (expected.test(fates.get(number)) && !times.containsKey(number)) {
        missing.put(number, fates.get(number));
      }
    }
    assertThat(missing).as("numbers and fates of what is not %s", where).isEmpty();
    Set<Integer> others = new TreeSet<>(times.keySet());
    others.removeIf(number -> expected.test(fates.get(number)));
    assertThat(others).as("numbers of what should not be %s", where).isEmpty();
  }

  private static String text(ConsumerRecord<byte[], byte[]> record, String header) {
    return new String(record.headers().lastHeader(header).value(), UTF_8);
  }
}
