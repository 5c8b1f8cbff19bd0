package dev.millrace.testkit.proxy;

/**
 * What becomes of a connection after a frame of it was dropped. It can't go on as if nothing had
 * happened: responses come in the order of requests, and one would be missing.
 */
public enum Afterwards {
  /** Both sides are reset at once, as when a middlebox fails. */
  CUT,
  /**
   * Nothing more is delivered in the direction in which the frame was dropped, as when packets get
   * lost; the client finds out by its own time-out. What flows the other way is delivered.
   */
  SILENT
}
