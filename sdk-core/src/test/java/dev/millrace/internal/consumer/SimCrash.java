package dev.millrace.internal.consumer;

/** Ends the poll thread of a process that has been killed while it waited. */
final class SimCrash extends Error {
  private static final long serialVersionUID = 1;

  SimCrash() {
    super("killed", null, false, false);
  }
}
