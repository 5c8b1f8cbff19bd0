package dev.millrace.internal.delivery;

import dev.millrace.errors.PayloadException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;

/** Makes values of bytes. Any thread. */
final class ValueDecoder<V> {
  private final Deserializer<? extends V> deserializer;

  ValueDecoder(Deserializer<? extends V> deserializer) {
    this.deserializer = deserializer;
  }

  /**
   * Returns the record's value.
   *
   * @throws PayloadException when its bytes are not one; without the payload
   */
  V decode(ConsumerRecord<byte[], byte[]> record) {
    try {
      return deserializer.deserialize(record.topic(), record.headers(), record.value());
    } catch (PayloadException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      // Its text may quote the payload, and ends in logs and headers.
      PayloadException undecodable =
          new PayloadException("The value could not be decoded: " + e.getClass().getName(), null);
      undecodable.setStackTrace(e.getStackTrace());
      throw undecodable;
    }
  }
}
