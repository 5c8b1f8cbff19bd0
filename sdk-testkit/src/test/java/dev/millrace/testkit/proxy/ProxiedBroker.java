package dev.millrace.testkit.proxy;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A real broker that clients reach through the proxy only. */
final class ProxiedBroker implements AutoCloseable {
  private final KafkaCluster kafka;
  private final FaultProxy proxy;

  private ProxiedBroker(KafkaCluster kafka, FaultProxy proxy) {
    this.kafka = kafka;
    this.proxy = proxy;
  }

  static ProxiedBroker start() {
    AtomicReference<FaultProxy> proxy = new AtomicReference<>();
    KafkaCluster kafka =
        KafkaCluster.builder()
            .advertisedPort(
                port ->
                    proxy
                        .updateAndGet(started -> started == null ? inFrontOf(port) : started)
                        .port())
            .start();
    return new ProxiedBroker(kafka, proxy.get());
  }

  private static FaultProxy inFrontOf(int port) {
    return FaultProxy.inFrontOf(1, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  KafkaCluster kafka() {
    return kafka;
  }

  FaultProxy proxy() {
    return proxy;
  }

  String bootstrapServers() {
    return "127.0.0.1:" + proxy.port();
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
    proxy.heal();
    kafka.close();
    proxy.close();
  }
}
