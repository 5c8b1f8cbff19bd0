package dev.millrace.testkit.proxy;

import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A real broker that clients reach through the proxy only. */
final class ProxiedBroker implements AutoCloseable {
  private final KafkaCluster kafka;

  private ProxiedBroker(KafkaCluster kafka) {
    this.kafka = kafka;
  }

  static ProxiedBroker start() {
    return new ProxiedBroker(KafkaCluster.builder().kind(ClusterKind.EMBEDDED).proxied().start());
  }

  KafkaCluster kafka() {
    return kafka;
  }

  FaultProxy proxy() {
    return kafka.node(1).proxy();
  }

  String bootstrapServers() {
    return kafka.bootstrapServers();
  }

  KafkaProducer<String, String> producer(String clientId, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", bootstrapServers());
    config.put("client.id", clientId);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  KafkaConsumer<String, String> consumer(String clientId, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", bootstrapServers());
    config.put("client.id", clientId);
    config.put("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  @Override
  public void close() {
    proxy().heal();
    kafka.close();
  }
}
