package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.Afterwards;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.Requests;
import java.time.Duration;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class LostAnswerTest {
  @Test
  void aSendWhoseAnswerIsLostIsNotWrittenTwice() {
    try (KafkaCluster kafka = KafkaCluster.builder().proxied().start()) {
      kafka.createTopic("orders", 1);
      FaultRule lost =
          kafka.node(1).proxy().dropResponse(Requests.of(ApiKeys.PRODUCE).first(1), Afterwards.CUT);
      try (KafkaFactory factory = factory(kafka);
          MessageProducer<String> orders = factory.createProducer("orders", String.class)) {
        orders.send("customer-42", "o-1").join();
      }
      lost.awaitHit(Duration.ofSeconds(10)); // or nothing is proved
      assertThat(TopicProbe.of(kafka.directServers(), "orders").readAll()).hasSize(1);
    }
  }

  private static KafkaFactory factory(KafkaCluster kafka) {
    return KafkaFactory.create(
        ConfigLoader.create()
            .parse(
                "test.yaml",
                "kafka: { common: { bootstrap-servers: '%s' }, producers: { orders: { topics: [orders] } } }"
                    .formatted(kafka.bootstrapServers())));
  }
}
