package dev.millrace.internal.delivery;

import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** What comes of one attempt at a record; it alone says whether the offset may advance. */
sealed interface Outcome {

  /** Returns what failed; null when nothing has. */
  default @Nullable Throwable cause() {
    return null;
  }

  /**
   * The handler returned: the offset may advance.
   *
   * @param outputs what it has sent into the open transaction
   */
  record Handled(List<ProducerRecord<byte[], byte[]>> outputs) implements Outcome {
    static final Handled INSTANCE = new Handled(List.of());
  }

  /**
   * Another attempt follows; until then the lane rests, and the offset stays.
   *
   * @param delayNanos from now
   * @param sinceNanos when the first attempt in place began, in the engine's time
   */
  record RetryLater(long delayNanos, long sinceNanos, Throwable cause) implements Outcome {}

  /**
   * The record waits in a retry topic; once that has acknowledged it, the offset may advance.
   *
   * @param level which one, from 1
   */
  record RetryTopic(int level, Throwable cause) implements Outcome {}

  /**
   * The record goes to the dead-letter topic; once that is acknowledged, the offset may advance.
   *
   * @param why one of {@link GaveUp}
   */
  record DeadLetter(Throwable cause, String why) implements Outcome {}

  /**
   * The record is passed over: the offset may advance.
   *
   * @param why one of {@link GaveUp}
   */
  record Skip(Throwable cause, String why) implements Outcome {}

  /**
   * The consumer stops; the offset stays for ever.
   *
   * @param why one of {@link GaveUp}
   */
  record Stop(Throwable cause, String why) implements Outcome {}

  /** The record's message has been handled before: the offset may advance. */
  record Duplicate() implements Outcome {
    static final Duplicate INSTANCE = new Duplicate();
  }

  /** The handler was not called, since it may not start now: the record is queued again. */
  record PutOff() implements Outcome {
    static final PutOff INSTANCE = new PutOff();
  }

  /** The record was taken back, before its handler was called or while it ran. */
  record Abandoned() implements Outcome {
    static final Abandoned INSTANCE = new Abandoned();
  }
}
