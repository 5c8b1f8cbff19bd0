package dev.millrace.internal.consumer;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.AcknowledgementCommitCallback;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The Kafka client of a queue, which can be closed and opened again: it has no pause of its own,
 * and a member that stayed in its group without polling would keep partitions from the others.
 * Confined to the poll thread once it runs.
 */
final class QueueClient {
  /** The broker's default; it tells the true one with the first records. */
  private static final int USUAL_LOCK_MILLIS = 30_000;

  private final List<String> topics;
  private final Supplier<ShareConsumer<byte[], byte[]>> opener;
  private AcknowledgementCommitCallback answers = (offsets, failure) -> {};
  private @Nullable ShareConsumer<byte[], byte[]> client;

  /** Opens it. */
  QueueClient(List<String> topics, Supplier<ShareConsumer<byte[], byte[]>> opener) {
    this.topics = topics;
    this.opener = opener;
    this.client = opener.get();
  }

  /**
   * Set once, before the first poll: told, inside of the calls, what became of acknowledgements.
   */
  void onAnswer(AcknowledgementCommitCallback listener) {
    answers = listener;
  }

  /** Sends what was acknowledged, and joins the group if need be. */
  ConsumerRecords<byte[], byte[]> poll(Duration wait) {
    if (client == null) {
      client = opener.get();
    }
    if (client.subscription().isEmpty()) {
      client.setAcknowledgementCommitCallback(answers);
      client.subscribe(topics);
    }
    return client.poll(wait);
  }

  /**
   * Notes what is to be sent.
   *
   * @return false when the client has let go of the record, as after a broken session
   */
  boolean acknowledge(ConsumerRecord<byte[], byte[]> record, AcknowledgeType type) {
    try {
      opened().acknowledge(record, type);
      return true;
    } catch (IllegalStateException noLongerKnown) {
      return false;
    }
  }

  /** Sends what was acknowledged, and hears what has been answered; waits for nothing. */
  void send() {
    opened().commitAsync();
  }

  /** Returns how long a lock lasts, as the brokers last said. */
  long lockNanos() {
    return TimeUnit.MILLISECONDS.toNanos(
        opened().acquisitionLockTimeoutMs().orElse(USUAL_LOCK_MILLIS));
  }

  /** Sends what was acknowledged, gives all other locks back and leaves the group. */
  void close(Duration wait) {
    ShareConsumer<byte[], byte[]> open = client;
    client = null;
    if (open != null) {
      open.close(wait);
    }
  }

  private ShareConsumer<byte[], byte[]> opened() {
    ShareConsumer<byte[], byte[]> open = client;
    if (open == null) {
      throw new IllegalStateException("The share consumer is closed.");
    }
    return open;
  }
}
