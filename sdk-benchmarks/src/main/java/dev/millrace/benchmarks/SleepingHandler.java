package dev.millrace.benchmarks;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much of its permits a consumer uses when handlers wait: without arguments 5 ms per record, 64
 * permits, one partition, 5,000 keys. The limit is permits / 5 ms; since a sleep of 5 ms takes
 * longer than that, the same number of bare threads that only sleep is measured beside it. Order
 * per key and the number of handled records are checked.
 *
 * <p>Other loads: {@code permits=10000 millis=100 keys=100000 records=1000000 partitions=8
 * threads=virtual}.
 */
public final class SleepingHandler {
  private static final int ROUNDS = 3;

  private final int permits;
  private final int millis;
  private final int keys;
  private final int records;
  private final int partitions;
  private final String threads;

  private SleepingHandler(Map<String, String> load) {
    permits = Integer.parseInt(load.getOrDefault("permits", "64"));
    millis = Integer.parseInt(load.getOrDefault("millis", "5"));
    keys = Integer.parseInt(load.getOrDefault("keys", "5000"));
    records = Integer.parseInt(load.getOrDefault("records", "100000"));
    partitions = Integer.parseInt(load.getOrDefault("partitions", "1"));
    threads = load.getOrDefault("threads", "platform");
  }

  /** Runs all rounds and prints a line for each. */
  public static void main(String[] arguments) throws Exception {
    Map<String, String> load = new HashMap<>();
    for (String argument : arguments) {
      int equals = argument.indexOf('=');
      load.put(argument.substring(0, equals), argument.substring(equals + 1));
    }
    new SleepingHandler(load).run();
  }

  private void run() throws Exception {
    double limit = permits * 1000.0 / millis;
    try (KafkaCluster broker = KafkaCluster.start()) {
      broker.createTopic("sleepy", partitions);
      KafkaConfig config = config(broker.bootstrapServers());
      try (KafkaFactory kafka = KafkaFactory.create(config)) {
        fill(kafka);
        double[] shares = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
          double bare = bareThreads();
          double millrace = consume(kafka, "round-" + round);
          shares[round] = millrace / limit;
          System.out.printf(
              "round %d: limit %.0f/s, bare threads %.0f/s, Millrace %.0f/s = %.1f %% of the limit, %.1f %% of the bare threads%n",
              round + 1, limit, bare, millrace, 100 * millrace / limit, 100 * millrace / bare);
        }
        Arrays.sort(shares);
        double median = shares[ROUNDS / 2];
        System.out.printf("median: %.1f %% of the limit%n", 100 * median);
        if (median < 0.9) {
          throw new IllegalStateException("less than nine tenths of the limit");
        }
      }
    }
  }

  private KafkaConfig config(String brokers) {
    StringBuilder consumers = new StringBuilder();
    for (int round = 0; round < ROUNDS; round++) {
      consumers.append(
          "    round-%d: { topics: [sleepy], group-id: sleepy-%d, concurrency: %d, handler-threads: %s }%n"
              .formatted(round, round, permits, threads));
    }
    return ConfigLoader.create()
        .environment(Map.of("BROKERS", brokers))
        .parse(
            "benchmark",
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              producers:
                filler: { topics: [sleepy], profile: throughput }
              consumers:
            """
                + consumers);
  }

  private void fill(KafkaFactory kafka) {
    try (MessageProducer<Object> filler = kafka.createProducer("filler")) {
      List<CompletableFuture<?>> sent = new ArrayList<>(records);
      for (int i = 0; i < records; i++) {
        sent.add(filler.send("key-" + i % keys, Integer.toString(i)));
      }
      CompletableFuture.allOf(sent.toArray(CompletableFuture<?>[]::new)).join();
    }
  }

  private double bareThreads() throws Exception {
    int sleeps = records / 4;
    AtomicInteger left = new AtomicInteger(sleeps);
    CountDownLatch ended = new CountDownLatch(permits);
    long start = System.nanoTime();
    for (int i = 0; i < permits; i++) {
      start(
          () -> {
            while (left.getAndDecrement() > 0) {
              sleep();
            }
            ended.countDown();
          });
    }
    ended.await();
    return sleeps / seconds(System.nanoTime() - start);
  }

  private void start(Runnable work) throws ReflectiveOperationException {
    if (threads.equals("virtual")) {
      Object unused =
          Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
    } else {
      new Thread(work).start();
    }
  }

  private double consume(KafkaFactory kafka, String name) throws InterruptedException {
    AtomicIntegerArray next = new AtomicIntegerArray(keys);
    AtomicInteger outOfOrder = new AtomicInteger();
    AtomicLong first = new AtomicLong();
    CountDownLatch handled = new CountDownLatch(records);
    MessageConsumer consumer =
        kafka
            .createConsumer(name, String.class)
            .subscribe(
                (value, context) -> {
                  first.compareAndSet(0, System.nanoTime());
                  int record = Integer.parseInt(value);
                  int turn = record / keys;
                  if (!next.compareAndSet(record % keys, turn, turn + 1)) {
                    outOfOrder.incrementAndGet();
                  }
                  sleep();
                  handled.countDown();
                });
    if (!handled.await(2, TimeUnit.MINUTES)) {
      throw new IllegalStateException(handled.getCount() + " records were never handled");
    }
    double rate = records / seconds(System.nanoTime() - first.get());
    consumer.close();
    if (outOfOrder.get() > 0) {
      throw new IllegalStateException(outOfOrder + " records were handled out of order");
    }
    return rate;
  }

  private void sleep() {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }
}
