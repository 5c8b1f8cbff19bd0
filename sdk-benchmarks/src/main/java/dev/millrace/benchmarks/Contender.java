package dev.millrace.benchmarks;

/** Someone who can consume a topic. */
interface Contender {
  /** So short that the group soon gives up a member that was killed. */
  int SESSION_TIMEOUT_MILLIS = 6_000;

  /** Twice what Millrace's own have by default, as those would set it who tune for throughput. */
  int BATCH_BYTES = 131_072;

  /** What Millrace's own have. */
  int LINGER_MILLIS = 5;

  /**
   * What to consume.
   *
   * @param brokers {@code host:port}
   * @param group a new group for each run
   * @param copy the topic that copies go to; it is there in {@link Workload.Scenario#COPY} alone
   */
  record Source(String brokers, String topic, String group, String copy) {}

  /** A consumer at work. */
  interface Running {
    /** Commits all that was handled and leaves the group; no record comes any more. */
    void end() throws Exception;

    /** Returns how many records it has taken that have not ended; 0 where it does not tell. */
    default long inFlight() {
      return 0;
    }
  }

  /** Starts to hand all records to the handling. */
  Running start(Workload workload, Source source, Handling handling) throws Exception;

  /** Returns one by its name on the command line. */
  static Contender named(String name) {
    return switch (name) {
      case "plain" -> new PlainLoops(1);
      case "plain-loops" -> new PlainLoops(Integer.MAX_VALUE);
      case "bare" -> new BareThreads();
      case "bare-consumer" -> new BareConsumer();
      case "plain-transactions" -> new TransactionalLoop(1);
      case "plain-transactions-2" -> new TransactionalLoop(2);
      case "streams" -> new StreamsCopy();
      case "millrace" -> new MillraceConsumer(Workload::commitMillis, false);
      case "millrace-10s" -> new MillraceConsumer(workload -> 10_000, false);
      case "millrace-failing" -> new MillraceConsumer(Workload::commitMillis, true);
      case "millrace-handles" -> new ProducerHandles();
      default ->
          throw new IllegalArgumentException(
              "There is no contender '%s', only plain, plain-loops, plain-transactions, plain-transactions-2, streams, bare, bare-consumer, millrace, millrace-10s, millrace-failing, millrace-handles"
                  .formatted(name));
    };
  }
}
