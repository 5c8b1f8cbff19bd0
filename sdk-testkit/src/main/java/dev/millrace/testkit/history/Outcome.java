package dev.millrace.testkit.history;

/** How the handling of a record ended. */
public enum Outcome {
  /** The handler returned. */
  HANDLED,
  /** The broker acknowledged the dead letter. */
  DEAD_LETTERED,
  /** Left out by policy. */
  SKIPPED,
  /** This attempt failed; the record is not done. */
  FAILED;

  /** Returns whether the record needs no further handling: all but {@link #FAILED}. */
  public boolean isFinal() {
    return this != FAILED;
  }
}
