package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import dev.millrace.testkit.proxy.FaultRule;
import dev.millrace.testkit.proxy.ProxyEvent;
import dev.millrace.testkit.proxy.Requests;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

class HeldCommitTest {
  @Test
  void aCommitThatWasGivenUpMayStillHappen() throws Exception {
    try (KafkaCluster kafka = KafkaCluster.builder().proxied().start()) {
      kafka.createTopic("orders", 1);
      TopicProbe orders = TopicProbe.of(kafka.directServers(), "orders");
      try (KafkaProducer<String, String> producer = producer(kafka)) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("orders", "customer-42", "o-1")).get();

        FaultRule end = kafka.node(1).proxy().hold(Requests.of(ApiKeys.END_TXN));
        assertThatThrownBy(producer::commitTransaction).isInstanceOf(TimeoutException.class);
        producer.close(Duration.ZERO);
        assertThat(orders.openTransactions()).hasSize(1);
        end.awaitClientsLeft(Duration.ofSeconds(60));
        end.release();
      }
      orders.awaitCount(1, Duration.ofSeconds(60));
      kafka
          .node(1)
          .proxy()
          .awaitEvent(
              event -> event.is(ProxyEvent.What.UNDELIVERED, ApiKeys.END_TXN),
              Duration.ofSeconds(60));
    }
  }

  private static KafkaProducer<String, String> producer(KafkaCluster kafka) {
    Map<String, Object> settings = new HashMap<>(kafka.clientProperties());
    settings.put("transactional.id", "shop");
    settings.put("request.timeout.ms", "3000");
    settings.put("linger.ms", "0");
    // After this it gives the commit up; a slow machine needs some of it for what comes before.
    settings.put("max.block.ms", "10000");
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }
}
