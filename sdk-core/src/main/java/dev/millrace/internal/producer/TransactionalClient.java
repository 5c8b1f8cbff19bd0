package dev.millrace.internal.producer;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One Kafka client with a transactional id, from its making to its close. */
record TransactionalClient(Producer<byte[], byte[]> producer, ClientMeters.Binding metrics) {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionalClient.class);

  static TransactionalClient make(String name, Map<String, Object> settings, ClientMeters meters) {
    Producer<byte[], byte[]> producer = producer(name, settings);
    try {
      return new TransactionalClient(producer, meters.bind(producer, name));
    } catch (RuntimeException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
  }

  private static Producer<byte[], byte[]> producer(String name, Map<String, Object> settings) {
    try {
      return new KafkaProducer<>(settings);
    } catch (KafkaException e) {
      throw new InvalidDefinitionException(
          "Producer '%s': the Kafka client can't be made: %s"
              .formatted(name, e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  /** Ends it within the bound; zero sends nothing more, not even an abort. Any thread. */
  void close(Duration bound) {
    metrics.close();
    try {
      producer.close(bound);
    } catch (RuntimeException e) {
      // It is given up in any case; an interrupt, which is the usual reason, has stayed set.
      LOG.debug("A transactional client did not close cleanly.", e);
    }
  }
}
