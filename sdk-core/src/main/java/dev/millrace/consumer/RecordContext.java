package dev.millrace.consumer;

import java.util.OptionalInt;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Where a record comes from. Valid until its handler has ended, on any one thread at a time. */
public interface RecordContext {

  /** Returns the topic it was read from. */
  String topic();

  /** Returns the partition it was read from. */
  int partition();

  /** Returns its offset in the partition. */
  long offset();

  /** Returns its timestamp in milliseconds since the epoch, or -1 when it has none. */
  long timestamp();

  /** Returns its key as UTF-8 text, or null when it has none. */
  @Nullable String key();

  /** Returns its key's bytes, or null when it has none. Not to be changed. */
  byte @Nullable [] keyBytes();

  /** Returns its headers. Not to be changed. */
  Headers headers();

  /** Returns which attempt this is: 1 at first, 2 for the first retry. */
  int attempt();

  /**
   * Returns how often the brokers have handed the record out, this time included: from 1 to the
   * group's {@code share.delivery.count.limit}, under {@code mode: queue}; empty otherwise.
   */
  default OptionalInt deliveryCount() {
    return OptionalInt.empty();
  }
}
