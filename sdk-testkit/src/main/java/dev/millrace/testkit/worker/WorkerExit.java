package dev.millrace.testkit.worker;

/**
 * How a life of a worker stands or has ended.
 *
 * @param detail the stack trace or exit status of a failure, the name of the kill point; empty
 *     otherwise
 */
public record WorkerExit(State state, String detail) {
  /** The ways. */
  public enum State {
    /** It has not ended. */
    RUNNING,
    /** {@link Worker#run} returned. */
    ENDED,
    /** It threw, or its JVM ended by itself in another way. */
    FAILED,
    /** It was killed by SIGKILL. */
    KILLED,
    /** It ended itself at the kill point. */
    KILL_POINT
  }

  static WorkerExit of(State state) {
    return new WorkerExit(state, "");
  }

  @Override
  public String toString() {
    return detail.isEmpty() ? state.toString() : state + ": " + detail;
  }
}
