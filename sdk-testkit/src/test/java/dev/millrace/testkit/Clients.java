package dev.millrace.testkit;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;

/** Plain clients as a test needs them. */
public final class Clients {
  private Clients() {}

  public static KafkaProducer<String, String> producer(
      KafkaCluster kafka, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.putIfAbsent("bootstrap.servers", kafka.bootstrapServers());
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  public static KafkaConsumer<String, String> consumer(
      KafkaCluster kafka, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.putIfAbsent("bootstrap.servers", kafka.bootstrapServers());
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

  /** Polls until there are as many values, or a minute is over. */
  public static List<String> values(Supplier<ConsumerRecords<String, String>> poll, int count) {
    List<String> values = new ArrayList<>();
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInSameThread()
        .until(
            () -> {
              poll.get().forEach(r -> values.add(r.value()));
              return values.size() >= count;
            });
    return values;
  }
}
