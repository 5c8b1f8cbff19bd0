package dev.millrace.testkit.history;

import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A record as an {@link Event} names it.
 *
 * @param partition its topic and partition; the partition is -1 for a send without an answer that
 *     left the choice to the client
 * @param offset its offset; -1 for a send without an answer
 * @param key its key as text, see {@link RecordText#key}; null when it has none
 * @param valueId stands for its value, see {@link RecordText#valueId}; null where it does not
 *     matter
 * @param attempt which call of the handler within one delivery, from 1; 0 for a send
 * @param outcome how the attempt ended; null for everything but {@link Kind#ENDED}
 */
public record RecordAt(
    TopicPartition partition,
    long offset,
    @Nullable String key,
    @Nullable String valueId,
    int attempt,
    @Nullable Outcome outcome) {

  /** Returns whether this is the end of the record: ended, and not to be tried again. */
  public boolean isFinal() {
    return outcome != null && outcome.isFinal();
  }
}
