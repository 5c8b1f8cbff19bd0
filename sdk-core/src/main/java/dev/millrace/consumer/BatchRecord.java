package dev.millrace.consumer;

/**
 * One record of a batch, and its outcome. The outcome is given once, on any thread, before the
 * {@link BatchHandler} has ended; where it gives none, its return or its exception decides.
 *
 * @param <V> the value's type
 */
public interface BatchRecord<V> {

  /** Returns the decoded value; null for a tombstone. */
  V value();

  /** Returns the record's key, headers and position, and which attempt at it this is. */
  RecordContext context();

  /**
   * The record is done: its offset may be committed, and it is not handed over again.
   *
   * @throws IllegalStateException when the record has an outcome, or the handler has ended
   */
  void done();

  /**
   * This attempt at the record has failed, as though a handler of single records had thrown the
   * cause: it is tried again after the back-off, as long as the definition's {@code retry} allows;
   * then it goes to the dead-letter topic or stops the consumer.
   *
   * @param cause what it failed with
   * @throws IllegalStateException when the record has an outcome, or the handler has ended
   */
  void retry(Throwable cause);

  /**
   * No attempt can help: the record goes to the dead-letter topic, or stops the consumer when there
   * is none.
   *
   * @param cause why
   * @throws IllegalStateException when the record has an outcome, or the handler has ended
   */
  void deadLetter(Throwable cause);
}
