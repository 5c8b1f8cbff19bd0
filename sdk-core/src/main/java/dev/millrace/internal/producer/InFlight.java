package dev.millrace.internal.producer;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** What a producer has sent that has not ended. Any thread. */
final class InFlight {
  private final AtomicInteger records = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  /** The bytes of key, value and headers. */
  static int size(ProducerRecord<byte[], byte[]> message) {
    int size = length(message.key()) + length(message.value());
    for (Header header : message.headers()) {
      size += header.key().length() + length(header.value());
    }
    return size;
  }

  private static int length(byte @Nullable [] bytes) {
    return bytes == null ? 0 : bytes.length;
  }

  void take(int size) {
    records.incrementAndGet();
    bytes.addAndGet(size);
  }

  void giveBack(int size) {
    records.decrementAndGet();
    bytes.addAndGet(-size);
  }

  int records() {
    return records.get();
  }

  long bytes() {
    return bytes.get();
  }
}
