package dev.millrace.testkit.proxy;

/**
 * Where the rules on requests meet the pieces of one direction; called by its delivering thread.
 */
interface Checkpoint {
  /**
   * Decides on the piece and returns when it may go on; stands while it is held or delayed.
   *
   * @throws InterruptedException if the connection ends meanwhile
   */
  Passage pass(Piece piece) throws InterruptedException;
}
