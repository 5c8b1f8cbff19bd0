package dev.millrace.internal.producer;

import dev.millrace.config.InFlightDefinition;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * What a producer has sent that has not ended, and how much of it there may be. Takes no lock. Any
 * thread.
 *
 * <p>Invariant: neither records nor bytes are ever more than allowed.
 */
final class InFlight {
  private final int maxRecords;
  private final long maxBytes;
  private final AtomicInteger records = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  InFlight(InFlightDefinition limits) {
    this.maxRecords = limits.maxRecords() == 0 ? Integer.MAX_VALUE : limits.maxRecords();
    this.maxBytes = limits.maxBytes() == 0 ? Long.MAX_VALUE : limits.maxBytes();
  }

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

  /** Returns false when there is no room for a record of this size now. */
  boolean take(int size) {
    if (!takeRecord()) {
      return false;
    }
    if (takeBytes(size)) {
      return true;
    }
    records.decrementAndGet();
    return false;
  }

  private boolean takeRecord() {
    int before = records.get();
    while (before < maxRecords) {
      if (records.compareAndSet(before, before + 1)) {
        return true;
      }
      before = records.get();
    }
    return false;
  }

  private boolean takeBytes(int size) {
    long before = bytes.get();
    while (size <= maxBytes - before) {
      if (bytes.compareAndSet(before, before + size)) {
        return true;
      }
      before = bytes.get();
    }
    return false;
  }

  void giveBack(int size) {
    bytes.addAndGet(-size);
    records.decrementAndGet();
  }

  /** Whether a record of this size would not even fit alone. */
  boolean neverFits(int size) {
    return size > maxBytes;
  }

  int records() {
    return records.get();
  }

  long bytes() {
    return bytes.get();
  }

  @Override
  public String toString() {
    return "%d records in flight, %s free; %d bytes in flight, %s free"
        .formatted(
            records(),
            free(records(), maxRecords, Integer.MAX_VALUE),
            bytes(),
            free(bytes(), maxBytes, Long.MAX_VALUE));
  }

  private static String free(long used, long most, long unlimited) {
    return most == unlimited ? "without limit" : Long.toString(most - used) + " of " + most;
  }
}
