package dev.millrace.internal.deadletter;

import dev.millrace.deadletter.DeadLetter;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.errors.MillraceException;
import dev.millrace.internal.client.Brokers;
import dev.millrace.internal.client.DeadLetterTopics;
import dev.millrace.internal.client.RedriveSettings;
import dev.millrace.internal.metrics.ClientMeters;
import dev.millrace.internal.producer.ProducerSlot;
import dev.millrace.internal.producer.TransactionalSlot;
import dev.millrace.internal.producer.TransactionalSlots;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The dead letters of one consumer. Any thread; each call has clients of its own. */
final class DeadLetterDesk implements DeadLetters {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterDesk.class);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

  private final Scope scope;
  private final RedriveSettings settings;
  private final Brokers brokers;
  private final DeadLetterTopics topics;
  private final Supplier<ProducerSlot> producer;
  private final ClientMeters meters;
  private final RunningRedrives running;

  /**
   * @param producer of the consumer's dead letters
   */
  DeadLetterDesk(
      Scope scope,
      RedriveSettings settings,
      Brokers brokers,
      Supplier<ProducerSlot> producer,
      ClientMeters meters,
      RunningRedrives running) {
    this.scope = scope;
    this.settings = settings;
    this.brokers = brokers;
    this.topics = new DeadLetterTopics(scope.owner(), brokers, settings.reader());
    this.producer = producer;
    this.meters = meters;
    this.running = running;
  }

  @Override
  public List<DeadLetter> list(DeadLetterFilter filter, int most) {
    if (most < 1) {
      throw new IllegalArgumentException("A list has at least 1 dead letter, not " + most + ".");
    }
    return read("list its dead letters", client -> open(client).rest(filter::matches, most));
  }

  @Override
  public Optional<DeadLetter> show(TopicPartition partition, long offset) {
    return read("show a dead letter", client -> show(client, checked(client, partition), offset));
  }

  private Optional<DeadLetter> show(
      Consumer<byte[], byte[]> client, TopicPartition partition, long offset) {
    AtomicReference<@Nullable DeadLetter> found = new AtomicReference<>();
    new PartitionReader(scope, client)
        .read(partition, offset, offset + 1, record -> DeadLetter.of(record).ifPresent(found::set));
    return Optional.ofNullable(found.get()).filter(letter -> letter.group().equals(scope.group()));
  }

  @Override
  public RedriveReport dryRun(Redrive what) {
    return read(
        "look what it would redrive",
        client -> {
          try (Origins origins = origins()) {
            Sorting sorting = new Sorting(scope, what, true, wayBack(client), origins);
            DeadLetterLog log = open(client);
            for (Optional<DeadLetterLog.Open> open = log.next();
                open.isPresent() && !sorting.isFull();
                open = log.next()) {
              var unused = sorting.choose(open.get().letter());
            }
            return sorting.report();
          }
        });
  }

  @Override
  public RedriveReport redrive(Redrive what) throws InterruptedException {
    running.begin(scope);
    try {
      brokers.requireReachable(scope.owner(), settings.reader());
      warnOfUncommittedReads();
      return redriveAlone(what);
    } finally {
      running.end(scope);
    }
  }

  private void warnOfUncommittedReads() {
    if (!settings.readsCommitted()) {
      LOG.warn(
          "{} reads uncommitted records: if its redrive is interrupted, it may handle those of one transaction twice. 'isolation.level: read_committed' among its properties prevents that.",
          scope.owner());
    }
  }

  private RedriveReport redriveAlone(Redrive what) throws InterruptedException {
    String id = settings.transactionalId();
    TransactionalSlots slots =
        TransactionalSlots.of(
            settings.group(),
            scope.owner(),
            Map.of(id, settings.producer()),
            RedriveSettings.TRANSACTION_TIMEOUT,
            meters);
    TransactionalSlot slot = slots.lease(Duration.ZERO);
    RedriveReport done = new RedriveReport(false, 0, 0, 0, 0, 0, 0, Map.of());
    try (Consumer<byte[], byte[]> client = client();
        Origins origins = origins()) {
      // First: from here on, nothing that an earlier redrive has begun can change the notes.
      slot.ready();
      RedriveRun run =
          new RedriveRun(
              scope,
              what,
              open(client),
              slot,
              client.groupMetadata(),
              wayBack(client),
              origins,
              running);
      try {
        run.run();
      } finally {
        done = run.report();
      }
      LOG.info("{} has had its dead letters redriven: {}", scope.owner(), done);
      return done;
    } catch (KafkaException | MillraceException e) {
      throw ended(done, e);
    } finally {
      slots.giveBack(slot);
      slots.close(CLOSE_WITHIN);
    }
  }

  /** An interrupt comes out of Kafka's clients as all kinds of failures, but its flag stays set. */
  private MillraceException ended(RedriveReport done, RuntimeException failure)
      throws InterruptedException {
    String text =
        "%s: its redrive has ended after %d records (%s). What is redriven is noted; call it again to go on."
            .formatted(scope.owner(), done.redriven(), failure.getMessage());
    if (Thread.interrupted()) {
      InterruptedException interrupted = new InterruptedException(text);
      interrupted.initCause(failure);
      throw interrupted;
    }
    return new MillraceException(text, failure);
  }

  private WayBack wayBack(Consumer<?, ?> client) {
    return new WayBack(
        scope,
        partitionCounts(client),
        topics::largestBatch,
        topics::isCompacted,
        topic -> topics.keepsCompression(topic, RedriveSettings.COMPRESSION));
  }

  private static ToIntFunction<String> partitionCounts(Consumer<?, ?> client) {
    Map<String, Integer> counts = new HashMap<>();
    return topic ->
        counts.computeIfAbsent(
            topic, first -> Objects.requireNonNull(client.partitionsFor(first)).size());
  }

  @Override
  public long deleteBefore(TopicPartition partition, long offset) {
    return read(
        "delete dead letters",
        client -> {
          requireDeletable(client, checked(client, partition), offset);
          long open =
              new DeadLetterLog(scope, client, Set.of(partition))
                  .rest(letter -> letter.offset() < offset, Integer.MAX_VALUE)
                  .size();
          topics.deleteBefore(partition, offset);
          LOG.info(
              "{} has had {} deleted before offset {}; {} dead letters were open.",
              scope.owner(),
              partition,
              offset,
              open);
          return open;
        });
  }

  private void requireDeletable(
      Consumer<byte[], byte[]> client, TopicPartition partition, long offset) {
    if (!topics.cleanupPolicy(partition.topic()).contains(TopicConfig.CLEANUP_POLICY_DELETE)) {
      throw new IllegalStateException(
          "%s can't delete before offset %d of %s: the topic is compacted, so the brokers delete only by key; use tombstone."
              .formatted(scope.owner(), offset, partition));
    }
    long end = new PartitionReader(scope, client).end(partition);
    if (offset > end) {
      throw new IllegalArgumentException(
          "%s can't delete before offset %d of %s, whose log ends at %d."
              .formatted(scope.owner(), offset, partition, end));
    }
    Set<String> strangers = new TreeSet<>();
    new PartitionReader(scope, client)
        .read(
            partition,
            0,
            offset,
            record -> DeadLetter.of(record).ifPresent(letter -> strangers.add(letter.group())));
    strangers.remove(scope.group());
    if (!strangers.isEmpty()) {
      throw new IllegalStateException(
          "%s can't delete before offset %d of %s: dead letters of the groups %s are there, too."
              .formatted(scope.owner(), offset, partition, strangers));
    }
  }

  @Override
  public void tombstone(DeadLetter letter) {
    running.requireOpen();
    byte[] key = letter.keyBytes();
    String topic = letter.partition().topic();
    String why =
        key == null
            ? "it has no key"
            : topics.cleanupPolicy(topic).contains(TopicConfig.CLEANUP_POLICY_COMPACT)
                ? null
                : "the topic is not compacted; use deleteBefore";
    if (why != null) {
      throw new IllegalStateException(
          "%s can't write a tombstone for %s@%d: %s."
              .formatted(scope.owner(), letter.partition(), letter.offset(), why));
    }
    try {
      var unused =
          producer
              .get()
              .send(new ProducerRecord<>(topic, letter.partition().partition(), key, null))
              .join();
    } catch (CompletionException e) {
      throw refused("write a tombstone", e.getCause() == null ? e : e.getCause());
    }
  }

  private <T> T read(String what, Function<Consumer<byte[], byte[]>, T> reading) {
    running.requireOpen();
    brokers.requireReachable(scope.owner(), settings.reader());
    try (Consumer<byte[], byte[]> client = client()) {
      return reading.apply(client);
    } catch (KafkaException e) {
      throw refused(what, e);
    }
  }

  private MillraceException refused(String what, Throwable cause) {
    return new MillraceException(
        "%s could not %s: %s".formatted(scope.owner(), what, cause.getMessage()), cause);
  }

  private Consumer<byte[], byte[]> client() {
    return new KafkaConsumer<>(settings.reader());
  }

  private Origins origins() {
    return new Origins(scope, () -> new KafkaConsumer<>(settings.originReader()));
  }

  private DeadLetterLog open(Consumer<byte[], byte[]> client) {
    return new DeadLetterLog(scope, client, partitions(client));
  }

  private List<TopicPartition> partitions(Consumer<?, ?> client) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics.named(scope.topics())) {
      client
          .partitionsFor(topic)
          .forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
    }
    return partitions;
  }

  private TopicPartition checked(Consumer<?, ?> client, TopicPartition partition) {
    List<TopicPartition> known = partitions(client);
    if (!known.contains(partition)) {
      throw new IllegalArgumentException(
          "%s has no dead letters in %s; they are in %s."
              .formatted(scope.owner(), partition, known));
    }
    return partition;
  }
}
