package dev.millrace;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.deadletter.DeadLetterHeaders;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Dead letters as a group puts them into its topic, without the consumer that gives up. */
final class DeadLetterFixture {
  private final BrokerFixture broker;

  DeadLetterFixture(BrokerFixture broker) {
    this.broker = broker;
  }

  /** Creates the topic, and the one of its dead letters. */
  void create(int partitions) {
    broker.create(partitions);
    broker.kafka().createTopic(broker.deadLetterTopic(), partitions);
  }

  /** Puts a dead letter where the group has its own. */
  void send(String key, String value, String cause, int partition) {
    broker.send(of(broker.deadLetterTopic(), key, value, cause, partition, broker.group()));
  }

  ProducerRecord<byte[], byte[]> of(
      String topic, String key, String value, String cause, int partition, String group) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, key.getBytes(UTF_8), value.getBytes(UTF_8));
    Map<String, String> headers =
        Map.of(
            DeadLetterHeaders.ORIGIN_TOPIC,
            broker.topic(),
            DeadLetterHeaders.ORIGIN_PARTITION,
            Integer.toString(partition),
            DeadLetterHeaders.ORIGIN_OFFSET,
            "7",
            DeadLetterHeaders.ORIGIN_TIMESTAMP,
            "1700000000000",
            DeadLetterHeaders.GROUP,
            group,
            DeadLetterHeaders.ATTEMPTS,
            "4",
            DeadLetterHeaders.EXCEPTION_CLASS,
            cause,
            DeadLetterHeaders.EXCEPTION_MESSAGE,
            "out of stock");
    headers.forEach((name, text) -> record.headers().add(name, text.getBytes(UTF_8)));
    return record;
  }
}
