package dev.millrace.internal.client;

import dev.millrace.config.ConsumerDefinition;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/**
 * The clients that read a consumer's dead letters and bring them back: the same way to the brokers
 * as the consumer's own, and the names by which a group has one redrive at a time.
 *
 * @param group whose offsets note what has been redriven
 * @param transactionalId the same in all processes, so that a later redrive fences an earlier one
 * @param readsCommitted whether the consumer itself does
 */
public record RedriveSettings(
    String group,
    String transactionalId,
    Map<String, Object> reader,
    Map<String, Object> producer,
    boolean readsCommitted) {

  /** Readers of committed records wait so long at what a killed redrive has left, at most. */
  public static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(30);

  /** As it came, a record may have been compressed, too; this one needs no native library. */
  public static final String COMPRESSION = "gzip";

  private static final String READ_COMMITTED = "read_committed";

  /** Returns those of a second reader, beside the first. */
  public Map<String, Object> originReader() {
    Map<String, Object> second = new TreeMap<>(reader);
    second.computeIfPresent(CommonClientConfigs.CLIENT_ID_CONFIG, (name, id) -> id + "-origins");
    return second;
  }

  /** From the consumer's definition. */
  public static RedriveSettings of(ClientProperties properties, ConsumerDefinition definition) {
    String group = definition.groupId() + ".redrive";
    Map<String, Object> member = properties.consumer(definition).properties();
    String clientId = member.get(CommonClientConfigs.CLIENT_ID_CONFIG) + "-redrive";
    Map<String, Object> reader = new TreeMap<>(properties.replay(definition).properties());
    reader.put(CommonClientConfigs.CLIENT_ID_CONFIG, clientId);
    reader.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    reader.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, READ_COMMITTED);
    // A close waits for the fetch that the client has on its way, and that finds nothing at the end
    // of what is read.
    reader.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, "20");
    String transactionalId = "millrace-redrive." + definition.groupId();
    Map<String, Object> producer = new TreeMap<>(properties.deadLetterProducer(definition));
    producer.put(CommonClientConfigs.CLIENT_ID_CONFIG, clientId);
    producer.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
    producer.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, COMPRESSION);
    producer.put(
        ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, Long.toString(TRANSACTION_TIMEOUT.toMillis()));
    // After a commit the brokers need some milliseconds before they take the next transaction's
    // first record (KIP-890): Kafka's 100 ms between two tries would be most of the time.
    producer.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, "5");
    producer.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, "1000");
    // It is the caller who waits, not a worker.
    producer.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, Long.toString(TRANSACTION_TIMEOUT.toMillis()));
    return new RedriveSettings(
        group,
        transactionalId,
        reader,
        producer,
        READ_COMMITTED.equals(member.get(ConsumerConfig.ISOLATION_LEVEL_CONFIG)));
  }
}
