package dev.millrace.internal.consumer;

import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.RecordContext;
import dev.millrace.internal.delivery.Handling;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A service's handler: ends at once, later, with a failure, or not before the faults are over. */
final class SimHandler implements AsyncRecordHandler<String> {
  /** Without a stack: there are thousands. */
  private static final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    Failure() {
      super("as the world wants it", null, false, false);
    }
  }

  /** A record that is being handled. */
  final class Running {
    final TopicPartition partition;
    final long offset;
    final String key;
    SimOracle.Ownership ownership;
    final boolean hangs = process.world.chaos && process.world.oneIn(60);
    final CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();

    Running(TopicPartition partition, long offset, String key) {
      this.partition = partition;
      this.offset = offset;
      this.key = key;
    }

    /** What was done is known before the engine learns of it. */
    void end() {
      process.running.remove(this);
      if (process.world.chaos && process.world.oneIn(6)) {
        process.world.oracle.handlerFailed(process, this);
        stage.completeExceptionally(new Failure());
      } else {
        process.world.oracle.handlerDone(process, this);
        stage.complete(null);
      }
    }
  }

  private final SimProcess process;

  SimHandler(SimProcess process) {
    this.process = process;
  }

  Handling<String> handling() {
    return process.world.synchronous
        ? Handling.inWorker(this::handleAtOnce)
        : Handling.asynchronous(this);
  }

  /** On one thread it ends before anybody else can do anything. */
  private void handleAtOnce(String value, RecordContext context) {
    Running run = begin(value, context);
    run.end();
    run.stage.join();
  }

  @Override
  public CompletionStage<?> handle(String value, RecordContext context) {
    Running run = begin(value, context);
    if (process.world.oneIn(4)) {
      run.end();
    }
    return process.world.bug.stage(run.stage);
  }

  private Running begin(String value, RecordContext context) {
    // The log's own, whatever the engine was given.
    String key = value.replaceAll("[0-9]", "");
    Running run =
        new Running(
            new TopicPartition(context.topic(), context.partition()), context.offset(), key);
    run.ownership = process.world.oracle.handlerBegins(process, run, context.attempt());
    process.running.add(run);
    return run;
  }
}
