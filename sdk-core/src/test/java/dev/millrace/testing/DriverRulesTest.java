package dev.millrace.testing;

import static dev.millrace.testing.DriverFixture.orders;
import static dev.millrace.testing.DriverFixture.record;
import static dev.millrace.testing.DriverFixture.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.UnknownNameException;
import dev.millrace.testing.DriverFixture.Order;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What a driver refuses, and what it costs. */
class DriverRulesTest {

  @Test
  void aNameThatIsNotDefinedIsRefusedAsTheFactoryDoes() {
    assertThatThrownBy(
            () -> ConsumerDriver.builder(DriverFixture.config(""), "oder-consumer", Order.class))
        .isInstanceOf(UnknownNameException.class)
        .hasMessage(
            "The configuration has no consumer 'oder-consumer'; its consumers, nearest first: order-consumer.");
  }

  @Test
  void aDefinitionThatAFactoryRefusesIsRefused() {
    assertThatThrownBy(() -> orders("delivery-semantics: exactly-once"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'order-consumer' has 'delivery-semantics: exactly-once', which a ConsumerDriver can't run: it has no transactions; test it with a broker.");
    assertThatThrownBy(() -> orders("format: string").subscribe((order, context) -> {}))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("Consumer 'order-consumer' has 'format: string'");
  }

  /** It would run as an ordered group consumer, and tell the test nothing of the queue. */
  @Test
  void aQueueIsRefused() {
    assertThatThrownBy(() -> orders("mode: queue\n      ordering: unordered"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'order-consumer' has 'mode: queue', which a ConsumerDriver can't run: it has the partitions, offsets and commits of a group; test it with a broker.");
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> orders().partitions(0)).isInstanceOf(IllegalArgumentException.class);
    try (ConsumerDriver<Order> driver = orders().partitions(2).subscribe((order, context) -> {})) {
      assertThatThrownBy(() -> driver.send(record(2, "a", "1")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Consumer 'order-consumer' does not read orders-2; its topics are [orders], here with 2 partitions each.");
      assertThatThrownBy(() -> driver.committed(new TopicPartition("other", 0)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("does not read other-0");
      assertThatThrownBy(() -> driver.advance(Duration.ofMillis(-1)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> driver.failCommits(-1)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void afterTheCloseNothingGoesOn() {
    ConsumerDriver<Order> driver = orders().subscribe((order, context) -> {});
    driver.close();
    driver.close();

    assertThatThrownBy(driver::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("The driver of consumer 'order-consumer' is closed.");
    assertThatThrownBy(() -> driver.send("a", new Order("o-1", 1)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aConsumerThatHasEndedHasNoPartitionsToLose() {
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(DriverFixture.withoutDeadLetters(), "order-consumer", Order.class)
            .subscribe((order, context) -> {})) {
      driver.send(record(0, "a", "{ no json"));
      driver.run();

      assertThatThrownBy(driver::rebalance)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith(
              "Consumer 'order-consumer' has no partitions, for it has ended: Consumer 'order-consumer' stopped at orders-0@0")
          .hasMessageEndingWith("Start it again by restart().");
      assertThatThrownBy(driver::lose).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aHandlerMaySendAndLookButNotGoOn() {
    AtomicReference<ConsumerDriver<String>> itself = new AtomicReference<>();
    List<Throwable> refused = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        texts("")
            .subscribe(
                (text, context) -> {
                  if (text.equals("1")) {
                    itself.get().send(record(1, "b", "2"));
                    assertThat(itself.get().lag()).isEqualTo(2);
                    try {
                      itself.get().run();
                    } catch (IllegalStateException e) {
                      refused.add(e);
                    }
                  }
                })) {
      itself.set(driver);
      driver.send(record(0, "a", "1"));
      driver.run();

      assertThat(refused).hasSize(1);
      assertThat(refused.get(0)).hasMessageContaining("goes on already");
      assertThat(driver.attempts())
          .hasSize(2)
          .allMatch(attempt -> attempt.state() == Attempt.State.SUCCEEDED);
    }
  }

  @Test
  void anotherThreadIsRefused() throws InterruptedException {
    try (ConsumerDriver<Order> driver = orders().subscribe((order, context) -> {})) {
      driver.run();
      AtomicReference<Throwable> refused = new AtomicReference<>();
      Thread other = new Thread(driver::run, "other");
      other.setUncaughtExceptionHandler((thread, failure) -> refused.set(failure));
      other.start();
      other.join();

      assertThat(refused.get())
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("The driver of consumer 'order-consumer' belongs to thread");
    }
  }

  @Test
  void topicsOfAPatternAreNamedByTheTest() {
    KafkaConfig config =
        ConfigLoader.create()
            .parse(
                "test.yaml",
                "kafka: { consumers: { c: { bootstrap-servers: 'no-such-host.invalid:1',"
                    + " topics-pattern: 'orders.*', group-id: g } } }");
    ConsumerDriver.Builder<String> builder = ConsumerDriver.builder(config, "c", String.class);
    assertThatThrownBy(() -> builder.subscribe((value, context) -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "Consumer 'c' finds its topics by a pattern; name some that there are, by"
                + " topics(...).");

    List<String> handled = new ArrayList<>();
    try (ConsumerDriver<String> driver =
        builder.topics("orders.eu").subscribe((value, context) -> handled.add(context.topic()))) {
      driver.send("key", "value");
      driver.run();
    }
    assertThat(handled).containsExactly("orders.eu");
  }

  @Test
  void noThreadIsStarted() {
    Set<Thread> handlers = new HashSet<>();
    try (ConsumerDriver<Order> driver =
        orders().subscribe((order, context) -> handlers.add(Thread.currentThread()))) {
      driver.send("customer-42", new Order("o-1", 1));
      driver.failNext(1, new IllegalStateException("once"));
      driver.advance(Duration.ofMinutes(1));
      driver.rebalance();
      driver.run();

      assertThat(handlers).containsExactly(Thread.currentThread());
      assertThat(Thread.getAllStackTraces().keySet())
          .noneMatch(thread -> thread.getName().startsWith("millrace-order-consumer-"));
    }
  }

  /** How long that takes is for people: a slow machine must not fail it. */
  @Test
  void aThousandDriversLiveThroughRetriesAndACrash() {
    Logger log = (Logger) LoggerFactory.getLogger("dev.millrace");
    Level level = log.getLevel();
    log.setLevel(Level.OFF);
    try {
      long before = System.nanoTime();
      for (int i = 0; i < 1_000; i++) {
        liveThroughRetriesAndACrash();
      }
      System.out.printf(
          "1,000 drivers, each 20 records, a retry, a crash and 10 s: %d ms%n",
          (System.nanoTime() - before) / 1_000_000);
    } finally {
      log.setLevel(level);
    }
  }

  private static void liveThroughRetriesAndACrash() {
    try (ConsumerDriver<Order> driver = orders().subscribe((order, context) -> {})) {
      for (int i = 0; i < 20; i++) {
        driver.send("customer-" + i, new Order("o-" + i, 1));
      }
      driver.failNext(1, new IllegalStateException("once"));
      driver.run();
      driver.crash();
      driver.advance(Duration.ofSeconds(10));
      assertThat(driver.lag()).isZero();
      assertThat(driver.attempts()).hasSize(40);
    }
  }
}
