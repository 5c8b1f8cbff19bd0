package dev.millrace.testing;

import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One call of the handler, as it stood when it was asked for; of a handler of batches, one record
 * of a call.
 *
 * @param partition the record's
 * @param offset the record's
 * @param key the record's key as UTF-8 text, null when it has none
 * @param number which attempt at the record this was, from 1; a record that is delivered again
 *     starts again from 1
 * @param at when it began, in the driver's time
 * @param state what has become of it
 * @param failure what it failed with; empty unless it has {@linkplain State#FAILED failed}
 */
public record Attempt(
    TopicPartition partition,
    long offset,
    @Nullable String key,
    int number,
    Instant at,
    State state,
    Optional<Throwable> failure) {

  /** What has become of an attempt. */
  public enum State {
    /** The stage of an asynchronous handler has not completed, or a batch is in its handler. */
    RUNNING,
    /** The handler has returned, its stage has completed, or the record of a batch is done. */
    SUCCEEDED,
    /** The handler has thrown, its stage has failed, or it gave a record of a batch a failure. */
    FAILED,
    /** Its process ended before it did: it was killed, or its close did not wait any longer. */
    ABORTED
  }
}
