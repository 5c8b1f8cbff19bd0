package dev.millrace.internal.consumer;

import dev.millrace.config.DeliverySemantics;
import dev.millrace.internal.offset.OffsetTracker;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/** What a consumer promises of a record that was delivered, as far as its offset goes. */
enum Promise {
  /** The offset stays before what has not ended. */
  AT_LEAST_ONCE {
    @Override
    boolean redelivers() {
      return true;
    }

    @Override
    @Nullable OffsetAndMetadata committable(OffsetTracker tracker, int maxChars) {
      return tracker.committable(maxChars);
    }

    @Override
    long readOnAt(OffsetTracker tracker, long target) {
      tracker.advance();
      long oldestOpen = tracker.oldestOpen();
      return oldestOpen >= 0 && oldestOpen < target ? oldestOpen : target;
    }
  },

  /** The offset is past all that was delivered, which is in no log's hands any more. */
  AT_MOST_ONCE {
    @Override
    boolean redelivers() {
      return false;
    }

    @Override
    @Nullable OffsetAndMetadata committable(OffsetTracker tracker, int maxChars) {
      return tracker.uncommittedPosition();
    }

    @Override
    long readOnAt(OffsetTracker tracker, long target) {
      return target;
    }
  };

  static Promise of(DeliverySemantics semantics) {
    return semantics == DeliverySemantics.AT_MOST_ONCE ? AT_MOST_ONCE : AT_LEAST_ONCE;
  }

  /** Whether what has not ended when its partition leaves is read again by the next owner. */
  abstract boolean redelivers();

  /**
   * Returns what a commit may say now, or null when the last one already said it.
   *
   * @param maxChars how long the metadata may be
   */
  abstract @Nullable OffsetAndMetadata committable(OffsetTracker tracker, int maxChars);

  /**
   * Returns where a partition is read on whose log was cut.
   *
   * @param target where the log goes on
   */
  abstract long readOnAt(OffsetTracker tracker, long target);
}
