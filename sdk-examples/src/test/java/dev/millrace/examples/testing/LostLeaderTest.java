package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.producer.MessageProducer;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.ClusterNode;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import java.time.Duration;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class LostLeaderTest {
  @Test
  void sendsGoOnWhenTheLeaderAndItsDiskAreLost() {
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(3).start()) {
      kafka.createTopic("orders", 1);
      try (KafkaFactory factory = factory(kafka);
          MessageProducer<String> orders = factory.createProducer("orders", String.class)) {
        orders.send("customer-42", "o-1").join();

        ClusterNode leader = kafka.leaderOf(new TopicPartition("orders", 0));
        leader.kill(); // SIGKILL
        leader.wipe();
        orders.send("customer-42", "o-2").join();
        leader.start();
      }
      assertThat(
              TopicProbe.of(kafka.directServers(), "orders").awaitCount(2, Duration.ofSeconds(60)))
          .hasSize(2);
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
