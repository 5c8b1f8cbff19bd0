package dev.millrace.internal.client;

import dev.millrace.config.TuningProfile;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** What each tuning profile sets, by Kafka's own names; all else keeps the client's default. */
final class TuningProfiles {
  private TuningProfiles() {}

  static Map<String, String> producer(TuningProfile profile) {
    return switch (profile) {
      case BALANCED ->
          Map.of(
              ProducerConfig.LINGER_MS_CONFIG, "5",
              ProducerConfig.BATCH_SIZE_CONFIG, "65536",
              ProducerConfig.MAX_BLOCK_MS_CONFIG, "10000");
      case THROUGHPUT ->
          Map.of(
              ProducerConfig.LINGER_MS_CONFIG, "20",
              ProducerConfig.BATCH_SIZE_CONFIG, "131072",
              ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4",
              ProducerConfig.BUFFER_MEMORY_CONFIG, "67108864",
              ProducerConfig.MAX_BLOCK_MS_CONFIG, "10000");
      case LATENCY ->
          Map.of(
              ProducerConfig.LINGER_MS_CONFIG, "0",
              ProducerConfig.BATCH_SIZE_CONFIG, "16384",
              ProducerConfig.MAX_BLOCK_MS_CONFIG, "10000");
      case DURABILITY ->
          Map.of(
              ProducerConfig.LINGER_MS_CONFIG, "5",
              ProducerConfig.BATCH_SIZE_CONFIG, "65536",
              ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "600000",
              ProducerConfig.MAX_BLOCK_MS_CONFIG, "120000");
    };
  }

  static Map<String, String> consumer(TuningProfile profile) {
    return switch (profile) {
      case BALANCED -> Map.of();
      case THROUGHPUT ->
          Map.of(
              ConsumerConfig.FETCH_MIN_BYTES_CONFIG, "65536",
              ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, "100",
              ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, "4194304",
              ConsumerConfig.RECEIVE_BUFFER_CONFIG, "1048576");
      case LATENCY -> Map.of(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, "262144");
      case DURABILITY ->
          Map.of(
              ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, "120000",
              ConsumerConfig.METADATA_MAX_AGE_CONFIG, "60000");
    };
  }
}
