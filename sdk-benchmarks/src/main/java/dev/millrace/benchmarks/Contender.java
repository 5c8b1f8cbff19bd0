package dev.millrace.benchmarks;

/** Someone who can consume a topic. */
interface Contender {
  /** So short that the group soon gives up a member that was killed. */
  int SESSION_TIMEOUT_MILLIS = 6_000;

  /**
   * What to consume.
   *
   * @param brokers {@code host:port}
   * @param group a new group for each run
   */
  record Source(String brokers, String topic, String group) {}

  /** A consumer at work. */
  interface Running {
    /** Commits all that was handled and leaves the group; no record comes any more. */
    void end() throws Exception;
  }

  /** Starts to hand all records to the handling. */
  Running start(Workload workload, Source source, Handling handling) throws Exception;

  /** Returns one by its name on the command line. */
  static Contender named(String name) {
    return switch (name) {
      case "plain" -> new PlainLoops(1);
      case "plain-loops" -> new PlainLoops(Integer.MAX_VALUE);
      case "bare" -> new BareThreads();
      case "millrace" -> new MillraceConsumer();
      default ->
          throw new IllegalArgumentException(
              "There is no contender '%s', only plain, plain-loops, bare, millrace"
                  .formatted(name));
    };
  }
}
