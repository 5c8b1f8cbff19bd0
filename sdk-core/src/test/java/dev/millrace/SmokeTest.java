package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.EmbeddedKafka;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SmokeTest {
  record Order(String id, int n) {}

  @Test
  void roundTrip() throws Exception {
    try (EmbeddedKafka broker = EmbeddedKafka.start()) {
      broker.createTopic("orders", 4);
      String yaml =
          """
          kafka:
            common: { bootstrap-servers: "%s", service-name: s }
            producers:
              p: { topics: [orders] }
            consumers:
              c: { topics: [orders], group-id: g, concurrency: 16 }
          """
              .formatted(broker.bootstrapServers());
      long t0 = System.nanoTime();
      try (KafkaFactory kafka =
          KafkaFactory.create(ConfigLoader.create().parse("kafka.yaml", yaml))) {
        MessageProducer<Order> orders = kafka.createProducer("p", Order.class);
        CountDownLatch latch = new CountDownLatch(100000);
        MessageConsumer consumer =
            kafka.createConsumer("c", Order.class).subscribe((order, context) -> latch.countDown());
        for (int i = 0; i < 100000; i++) {
          var unused = orders.send("k" + (i % 500), new Order("o" + i, i));
        }
        assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        System.out.println("took " + (System.nanoTime() - t0) / 1e6);
        consumer.close(Duration.ofSeconds(5));
        System.out.println(consumer.state());
      }
      System.out.println("closed after " + (System.nanoTime() - t0) / 1e6);
    }
  }
}
