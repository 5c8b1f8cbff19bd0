package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.delivery.RedriveMark;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.time.LogThrottle;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes over the records that another group has had redriven: this group has had them before.
 * Confined to the poll thread.
 *
 * <p>Invariant: nothing but a mark that fits the record keeps it from its handler. A mark that does
 * not fit is ignored, and counted.
 */
final class RedrivenForOthers {
  private static final Logger LOG = LoggerFactory.getLogger(RedrivenForOthers.class);

  private final String consumer;
  private final String group;
  private final ConsumerMeters meters;
  private final LogThrottle forgedLog = new LogThrottle();

  RedrivenForOthers(String consumer, String group, ConsumerMeters meters) {
    this.consumer = consumer;
    this.group = group;
    this.meters = meters;
  }

  /**
   * Looks at a record that has just been polled, as it stood in its own topic.
   *
   * @param delivery it has ended when this returns true
   */
  boolean passesOver(Delivery delivery) {
    ConsumerRecord<byte[], byte[]> record = delivery.record();
    if (!RedriveMark.isClaimed(record.headers())) {
      return false;
    }
    Optional<RedriveMark> mark =
        RedriveMark.read(record.topic(), record.key(), record.value(), record.headers());
    if (mark.isEmpty()) {
      forged(record);
      return false;
    }
    if (mark.get().group().equals(group)) {
      return false;
    }
    if (delivery.skip()) {
      meters.skipped();
    }
    return true;
  }

  private void forged(ConsumerRecord<byte[], byte[]> record) {
    meters.headersIgnored();
    String end = forgedLog.permit();
    if (end != null) {
      LOG.warn(
          "Consumer '{}' ignores the redrive headers of {}-{}@{}, which do not fit this record: they may have been copied from another one.{}",
          consumer,
          record.topic(),
          record.partition(),
          record.offset(),
          end);
    }
  }
}
