package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.consumer.Replay;
import dev.millrace.consumer.ReplaySummary;
import java.util.concurrent.CompletableFuture;

/** What the service holds of its replay. Any thread. */
record ReplayHandle(
    MessageConsumer engine, ReplayState state, CompletableFuture<ReplaySummary> ended)
    implements Replay {

  @Override
  public CompletableFuture<ReplaySummary> completion() {
    // What users hang on it may block, and must not do so on the poll thread.
    return ended.whenCompleteAsync((summary, failure) -> {});
  }

  @Override
  public ReplaySummary progress() {
    return state.summary();
  }

  @Override
  public ConsumerExplanation explain() {
    return engine.explain();
  }

  @Override
  public void close() {
    engine.close();
  }
}
