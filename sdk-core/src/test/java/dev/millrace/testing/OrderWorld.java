package dev.millrace.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.consumer.RecordContext;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.consumer.ServiceHooks;
import dev.millrace.internal.consumer.SteppedEngine;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.keys.RetryLogs;
import dev.millrace.internal.time.SteppedClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Three processes of one group in memory, on one thread, whose partitions move; a seed says what
 * comes next. Partitions of a topic and of its retry topics are anybody's, and looks into the retry
 * topics take time, in which all else goes on.
 */
final class OrderWorld {
  static final int MAX_POLL = 5;

  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "no-such-host.invalid:1" }
        consumers:
          ordered:
            topics: [orders]
            group-id: stock
            concurrency: 4
            channel-capacity: 40
            commit-interval: 50ms
            drain-timeout: 300ms
            retry: { max-attempts: %d, backoff: { initial: 20ms, jitter: 0 }, topics: %s, keep-key-order: true }
            dead-letter: {}
      """;

  private static final int PROCESSES = 3;
  private static final int PARTITIONS = 2;
  private static final int KEYS = 5;
  private static final int RECORDS = 80;
  private static final String HOPELESS = "hopeless";

  private final Random random;
  private final SteppedClock clock = new SteppedClock();
  private final ConsumerDefinition definition;
  private final Cluster cluster;
  private final OrderOracle oracle = new OrderOracle();
  private final List<Life> lives = new ArrayList<>();
  private final List<Stage> stages = new ArrayList<>();
  private final List<Sending> sendings = new ArrayList<>();
  private final Map<TopicPartition, Life> owners = new HashMap<>();
  private final Map<TopicPartition, Integer> wanted = new HashMap<>();
  private final int[] sent = new int[KEYS];
  private final double failing;
  private boolean calm;

  /** A handler at work. */
  private record Stage(Life life, String value, CompletableFuture<Void> end) {}

  /** A record on its way to a broker. */
  private record Sending(
      Life life, ProducerRecord<byte[], byte[]> record, CompletableFuture<RecordMetadata> answer) {}

  OrderWorld(long seed) {
    this.random = new Random(seed);
    this.failing = 0.1 + 0.4 * random.nextDouble();
    String delays =
        List.of("[200ms]", "[200ms, 900ms]", "[100ms, 300ms, 2s]").get(random.nextInt(3));
    this.definition =
        Objects.requireNonNull(
            ConfigLoader.create()
                .parse("test.yaml", CONFIG.formatted(1 + random.nextInt(2), delays))
                .consumers()
                .get("ordered"));
    this.cluster = new Cluster(definition, PARTITIONS, clock);
    for (TopicPartition partition : cluster.partitions()) {
      wanted.put(partition, random.nextInt(PROCESSES));
    }
    for (int i = 0; i < PROCESSES; i++) {
      lives.add(new Life(i));
    }
  }

  /** Lives through faults, and then until all has ended. */
  void live() {
    for (int step = 0; step < 3_000; step++) {
      act();
      oracle.requireOrder();
    }
    calm = true;
    while (IntStream.of(sent).sum() < RECORDS) {
      produce(random.nextInt(KEYS));
    }
    settle("all that was sent ends");
    long forwarded = inRetryTopics();
    settle(Duration.ofSeconds(30));
    for (int key = 0; key < KEYS; key++) {
      produce(key, "late");
    }
    settle("what comes later ends, too");
    if (inRetryTopics() != forwarded) {
      throw new AssertionError("Keys did not come back: their records still follow them.");
    }
  }

  private long inRetryTopics() {
    return cluster.partitions().stream()
        .filter(partition -> !partition.topic().equals("orders"))
        .mapToLong(cluster::end)
        .sum();
  }

  private void settle(String what) {
    for (int i = 0; i < 2_000; i++) {
      settle(Duration.ofMillis(100));
      oracle.requireOrder();
      if (stages.isEmpty() && sendings.isEmpty() && isAllCommitted()) {
        oracle.requireAllResolved(sent);
        return;
      }
    }
    throw new AssertionError("Within 200 s it is not so that " + what);
  }

  private void settle(Duration time) {
    for (long until = clock.nanos() + time.toNanos(); clock.nanos() < until; ) {
      for (Life life : lives) {
        life.turn();
        while (life.step()) {
          // Until all its workers sleep.
        }
      }
      while (!stages.isEmpty()) {
        completeStage(0);
      }
      while (!sendings.isEmpty()) {
        answer(0);
      }
      clock.advance(Duration.ofMillis(20).toNanos());
    }
  }

  private boolean isAllCommitted() {
    return cluster.partitions().stream()
        .allMatch(
            partition -> {
              OffsetAndMetadata offset = cluster.committed(partition);
              return (offset == null ? 0 : offset.offset()) == cluster.end(partition);
            });
  }

  private void act() {
    int draw = random.nextInt(1_000);
    Life life = lives.get(random.nextInt(PROCESSES));
    if (draw < 300) {
      life.turn();
    } else if (draw < 600) {
      boolean unused = life.step();
    } else if (draw < 720) {
      completeStage(random.nextInt(Math.max(1, stages.size())));
    } else if (draw < 800) {
      answer(random.nextInt(Math.max(1, sendings.size())));
    } else if (draw < 870) {
      if (IntStream.of(sent).sum() < RECORDS) {
        produce(random.nextInt(KEYS));
      }
    } else if (draw < 980) {
      clock.advance(Duration.ofMillis(random.nextInt(40)).toNanos());
    } else if (draw < 992) {
      TopicPartition moved = any(cluster.partitions());
      wanted.put(moved, random.nextInt(PROCESSES));
    } else if (draw < 995) {
      life.lose();
    } else if (!life.inTurn) {
      replace(life, draw < 998);
    }
  }

  private TopicPartition any(Set<TopicPartition> partitions) {
    return List.copyOf(partitions).get(random.nextInt(partitions.size()));
  }

  private void produce(int key) {
    produce(key, random.nextInt(20) == 0 ? HOPELESS : "good");
  }

  private void produce(int key, String text) {
    String name = "key-" + key;
    String value = name + ":" + sent[key]++ + ":" + text;
    cluster.append(
        new ProducerRecord<>(
            "orders", key % PARTITIONS, name.getBytes(UTF_8), value.getBytes(UTF_8)));
  }

  private CompletableFuture<Void> handle(Life life, String value) {
    oracle.started(value);
    CompletableFuture<Void> end = new CompletableFuture<>();
    stages.add(new Stage(life, value, end));
    return end;
  }

  private void completeStage(int number) {
    if (stages.isEmpty()) {
      return;
    }
    Stage stage = stages.remove(number);
    boolean fails = stage.value().endsWith(HOPELESS) || (!calm && random.nextDouble() < failing);
    if (fails) {
      stage.end().completeExceptionally(new IllegalStateException("out of stock"));
    } else {
      oracle.resolved(stage.value());
      stage.end().complete(null);
    }
  }

  // Records on their way to retry topics and dead letters.

  private CompletableFuture<RecordMetadata> send(Life life, ProducerRecord<byte[], byte[]> record) {
    int draw = calm ? 0 : random.nextInt(10);
    if (draw == 9) {
      return CompletableFuture.failedFuture(new TimeoutException("refused"));
    }
    CompletableFuture<RecordMetadata> answer = new CompletableFuture<>();
    sendings.add(new Sending(life, record, answer));
    if (draw < 5) {
      answer(sendings.size() - 1);
    }
    return answer;
  }

  /** It arrives; now and then nobody hears of it. */
  private void answer(int number) {
    if (sendings.isEmpty()) {
      return;
    }
    Sending sending = sendings.remove(number);
    RecordMetadata written = arrive(sending.record());
    if (!calm && random.nextInt(10) == 0) {
      sending.answer().completeExceptionally(new TimeoutException("no answer"));
    } else {
      sending.answer().complete(written);
    }
  }

  private RecordMetadata arrive(ProducerRecord<byte[], byte[]> record) {
    if (record.topic().endsWith(".dlq")) {
      oracle.resolved(new String(record.value(), UTF_8));
      return new RecordMetadata(new TopicPartition(record.topic(), 0), 0, 0, 0, 0, 0);
    }
    return cluster.append(record);
  }

  // The group.

  /**
   * @param kill by SIGKILL; else it is closed
   */
  private void replace(Life life, boolean kill) {
    if (!kill) {
      life.close();
    }
    life.dead = true;
    stages.removeIf(stage -> stage.life() == life);
    // What its producer had sent may get to the broker after its death, or not at all.
    sendings.removeIf(sending -> sending.life() == life && random.nextBoolean());
    owners.values().removeIf(owner -> owner == life);
    lives.set(lives.indexOf(life), new Life(life.place));
  }

  /** One life of a process. */
  private final class Life implements SteppedSignal.Surroundings, OrderMember.Group {
    private final int place;
    private final OrderMember member;
    private final SteppedEngine engine;
    private boolean inTurn;
    private boolean dead;

    Life(int place) {
      this.place = place;
      this.member = new OrderMember(cluster, this, MAX_POLL);
      this.engine =
          new SteppedEngine(
              definition,
              MAX_POLL,
              member,
              new StringDeserializer(),
              Handling.asynchronous((String value, RecordContext context) -> handle(this, value)),
              ServiceHooks.NONE,
              record -> send(this, record),
              new SlowLogs(this),
              clock,
              this);
    }

    void turn() {
      if (!inTurn && !dead) {
        inTurn = true;
        engine.turn();
        inTurn = false;
        engine
            .failure()
            .ifPresent(
                failure -> {
                  throw new AssertionError("The consumer has ended by itself", failure);
                });
      }
    }

    boolean step() {
      return !dead && engine.step();
    }

    void close() {
      inTurn = true;
      engine.close();
    }

    /** Others may have its partitions, before it hears of it. */
    void lose() {
      if (!inTurn && !calm) {
        owners.values().removeIf(owner -> owner == this);
        member.lose();
      }
    }

    @Override
    public boolean wants(TopicPartition partition) {
      return wanted.get(partition) == place;
    }

    @Override
    public boolean take(TopicPartition partition) {
      return owners.putIfAbsent(partition, this) == null;
    }

    @Override
    public void release(TopicPartition partition) {
      owners.remove(partition, this);
    }

    @Override
    public long nanos() {
      return clock.nanos();
    }

    /** While its poll thread waits for handlers, because partitions leave. */
    @Override
    public boolean step(long deadlineNanos) {
      if (!member.isRebalancing() && !engine.isStopping()) {
        return engine.step();
      }
      if (!engine.step()) {
        act();
        clock.advance(Duration.ofMillis(1).toNanos());
      }
      return true;
    }
  }

  /** Looks that take time: others go on between two questions, and the own workers do. */
  private final class SlowLogs implements RetryLogs {
    private final Life life;
    private final RetryLogs logs = new ClusterRetryLogs(cluster);

    SlowLogs(Life life) {
      this.life = life;
    }

    private void meanwhile() {
      for (int i = calm ? 0 : random.nextInt(30); i > 0; i--) {
        boolean unused = random.nextInt(3) == 0 && life.step();
        act();
      }
      if (!calm && random.nextInt(20) == 0) {
        throw new TimeoutException("no coordinator");
      }
    }

    @Override
    public Set<TopicPartition> present(Set<TopicPartition> partitions) {
      meanwhile();
      return logs.present(partitions);
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
      meanwhile();
      return logs.committed(partitions);
    }

    @Override
    public Map<TopicPartition, Long> ends(Set<TopicPartition> partitions) {
      meanwhile();
      return logs.ends(partitions);
    }

    @Override
    public long read(
        TopicPartition partition,
        long from,
        long to,
        Predicate<ConsumerRecord<byte[], byte[]>> reader) {
      meanwhile();
      return logs.read(partition, from, to, reader);
    }

    @Override
    public void rest() {
      logs.rest();
    }

    @Override
    public void stop() {
      logs.stop();
    }
  }
}
