package dev.millrace.testkit.worker;

/**
 * Names of the points in the life of a consumer where a kill may hurt. A worker passes them with
 * {@link WorkerContext#killPoint}; any other name does as well.
 */
public final class KillPoints {
  /** Records have come from a poll, none has been handed on. */
  public static final String AFTER_POLL = "after-poll";

  /** A record is about to be handled. */
  public static final String BEFORE_HANDLER = "before-handler";

  /** The handler has done a part of its work. */
  public static final String IN_HANDLER = "in-handler";

  /** The handler has returned, nobody knows it yet. */
  public static final String AFTER_HANDLER = "after-handler";

  /** Offsets are about to be committed. */
  public static final String BEFORE_COMMIT = "before-commit";

  /** The broker has confirmed a commit. */
  public static final String AFTER_COMMIT = "after-commit";

  /** A dead letter is about to be sent. */
  public static final String BEFORE_DEAD_LETTER = "before-dead-letter";

  /** The broker has confirmed a dead letter, its record's offset is not committed. */
  public static final String AFTER_DEAD_LETTER = "after-dead-letter";

  /** A transaction is about to be ended. */
  public static final String BEFORE_END_OF_TRANSACTION = "before-end-of-transaction";

  /** The broker has confirmed the end of a transaction. */
  public static final String AFTER_END_OF_TRANSACTION = "after-end-of-transaction";

  private KillPoints() {}
}
