package dev.millrace.examples.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testing.ConsumerDriver;
import dev.millrace.testing.DeadLetter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class HandlerTest {
  private final KafkaConfig config =
      ConfigLoader.create()
          .parse(
              "test.yaml",
              """
              kafka:
                common: { bootstrap-servers: "not-called:9092" }
                consumers:
                  order-consumer:
                    topics: [orders]
                    group-id: stock
                    retry: { max-attempts: 3, backoff: { initial: 1s, multiplier: 2, max: 1m } }
                    dead-letter: {}
              """);

  record Order(String id, int quantity) {}

  /** The service's own code, which has to bear that an order comes again. */
  static final class Stock {
    private final Map<String, Integer> reserved = new HashMap<>();

    void reserve(Order order) {
      reserved.putIfAbsent(order.id(), order.quantity());
    }

    int reserved() {
      return reserved.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  @Test
  void anOrderThatComesAgainIsReservedOnce() {
    Stock stock = new Stock();
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(config, "order-consumer", Order.class)
            .subscribe((order, context) -> stock.reserve(order))) {
      driver.send("customer-42", new Order("o-1", 3));
      driver.run();
      driver.crash(); // before the first commit
      driver.run();

      assertThat(driver.attempts()).hasSize(2);
      assertThat(stock.reserved()).isEqualTo(3);
      driver.advance(Duration.ofSeconds(1));
      assertThat(driver.lag()).isZero();
    }
  }

  @Test
  void aWarehouseThatIsAwayForAWhileCostsNothing() {
    Stock stock = new Stock();
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(config, "order-consumer", Order.class)
            .subscribe((order, context) -> stock.reserve(order))) {
      driver.failNext(2, new IllegalStateException("the warehouse does not answer"));
      driver.send("customer-42", new Order("o-1", 3));
      driver.advance(Duration.ofSeconds(3)); // back-offs of 1 s and 2 s

      assertThat(driver.attempts()).hasSize(3);
      assertThat(stock.reserved()).isEqualTo(3);
    }
  }

  @Test
  void whatIsNoOrderIsLaidAside() {
    List<String> handled = new ArrayList<>();
    try (ConsumerDriver<Order> driver =
        ConsumerDriver.builder(config, "order-consumer", Order.class)
            .subscribe((order, context) -> handled.add(order.id()))) {
      driver.send(new ProducerRecord<>("orders", "{ no order".getBytes(UTF_8)));
      driver.send("customer-42", new Order("o-1", 3));
      driver.run();

      DeadLetter letter = driver.deadLetters().get(0);
      assertThat(letter.topic()).isEqualTo("orders.stock.dlq");
      assertThat(letter.headers()).containsEntry("millrace-origin-offset", "0");
      assertThat(handled).containsExactly("o-1");
    }
  }
}
