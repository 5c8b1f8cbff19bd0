package dev.millrace.consumer;

import java.util.concurrent.CompletableFuture;

/** A replay that runs, or has ended; see {@link PreparedConsumer#replay}. Any thread. */
public interface Replay extends AutoCloseable {

  /**
   * Returns a future of the end. It completes on a thread of {@link
   * java.util.concurrent.ForkJoinPool#commonPool()}: with the summary when the range is read and
   * all of it has ended, or when the replay was closed before that, which {@link
   * ReplaySummary#isComplete()} tells; with a {@link dev.millrace.errors.ConsumerFailedException}
   * when the replay has ended by itself before. Completing or cancelling the future has no effect
   * on the replay.
   */
  CompletableFuture<ReplaySummary> completion();

  /** Returns how far it has come, as of some 100 ms ago. */
  ReplaySummary progress();

  /** Tells why each partition stands where it stands, as {@link MessageConsumer#explain()} does. */
  ConsumerExplanation explain();

  /**
   * Ends it, as {@link MessageConsumer#close()} ends a consumer, but that there is nothing to
   * commit. Without effect after the end.
   */
  @Override
  void close();
}
