package dev.millrace.testkit;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Plain clients as a test needs them. */
public final class Clients {
  private Clients() {}

  public static KafkaProducer<String, String> producer(
      KafkaCluster kafka, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", kafka.bootstrapServers());
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  public static KafkaConsumer<String, String> consumer(
      KafkaCluster kafka, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", kafka.bootstrapServers());
    config.putIfAbsent("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  public static KafkaShareConsumer<String, String> shareConsumer(
      KafkaCluster kafka, String groupId) {
    return new KafkaShareConsumer<>(
        Map.of("bootstrap.servers", kafka.bootstrapServers(), "group.id", groupId),
        new StringDeserializer(),
        new StringDeserializer());
  }
}
