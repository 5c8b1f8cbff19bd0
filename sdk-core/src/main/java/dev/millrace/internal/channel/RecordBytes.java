package dev.millrace.internal.channel;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** The size of a record, as it counts in the channel. */
public final class RecordBytes {
  private RecordBytes() {}

  /**
   * Returns the bytes of key, value and headers.
   *
   * <p>Reading a header makes it let go of the fetch response it came in, which may be a thousand
   * times its size and would stay in memory, uncounted, for as long as the record does.
   */
  public static int of(ConsumerRecord<byte[], byte[]> record) {
    int bytes = Math.max(0, record.serializedKeySize()) + Math.max(0, record.serializedValueSize());
    for (Header header : record.headers()) {
      byte[] value = header.value();
      bytes += header.key().length() + (value == null ? 0 : value.length);
    }
    return bytes;
  }
}
