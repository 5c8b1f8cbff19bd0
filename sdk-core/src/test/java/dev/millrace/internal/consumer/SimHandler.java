package dev.millrace.internal.consumer;

import dev.millrace.consumer.AsyncRecordHandler;
import dev.millrace.consumer.BatchRecord;
import dev.millrace.consumer.RecordContext;
import dev.millrace.internal.delivery.Handling;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A service's handler: ends at once, later, with a failure, or not before the faults are over. */
final class SimHandler implements AsyncRecordHandler<String> {
  /** How a world's services handle their records. */
  enum Kind {
    IN_WORKER,
    ASYNCHRONOUS,
    IN_BATCHES
  }

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
    final int life;
    final int attempt;
    final long beganNanos = process.world.clock.nanos();
    SimOwnership ownership;

    /** Whatever it does, its record goes to the dead-letter topic. */
    boolean givenUp;

    /** It has ended well. */
    boolean isDone;

    /** How many outputs it has, in an exactly-once consumer. */
    final int outputs = process.world.exactlyOnce ? 1 + process.world.random.nextInt(2) : 0;

    private final RecordContext context;

    final boolean hangs = process.world.chaos && process.world.oneIn(60);
    final CompletableFuture<@Nullable Void> stage = new CompletableFuture<>();

    Running(String value, RecordContext context) {
      this.context = context;
      this.partition = new TopicPartition(context.topic(), context.partition());
      this.offset = context.offset();
      // The log's own, whatever the engine was given.
      this.key = value.substring(0, value.indexOf('/'));
      this.life = life(value);
      this.attempt = context.attempt();
      this.ownership = process.world.oracle.owner(process, partition);
    }

    /** Returns why not all of its outputs could be sent, or null. */
    @Nullable Exception sendAll() {
      try {
        for (int i = 0; i < outputs; i++) {
          context.send(SimOutputs.TOPIC, key, process.world.oracle.outputs.value(this, i));
        }
        return null;
      } catch (TimeoutException e) {
        return e;
      }
    }

    /** What was done is known before the engine learns of it. */
    void end() {
      process.running.remove(this);
      Exception notSent = sendAll();
      if (notSent != null) {
        process.world.oracle.handlerFailed(process, this);
        stage.completeExceptionally(notSent);
      } else if (process.world.chaos && process.world.oneIn(6)) {
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

  /** Returns in which life of its log a record was appended. */
  static int life(String value) {
    return Integer.parseInt(value.substring(value.indexOf('/') + 1));
  }

  Handling<String> handling() {
    return switch (process.world.kind) {
      case IN_WORKER -> Handling.inWorker(this::handleAtOnce);
      case ASYNCHRONOUS -> Handling.asynchronous(this);
      case IN_BATCHES -> Handling.inBatches(this::handleBatch);
    };
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
    Running run = new Running(value, context);
    process.world.oracle.handlerBegins(process, List.of(run));
    process.running.add(run);
    return run;
  }

  /** For each record an outcome of its own, or that of the batch. */
  private void handleBatch(List<BatchRecord<String>> records) {
    SimWorld world = process.world;
    List<Running> runs = new ArrayList<>();
    records.forEach(record -> runs.add(new Running(record.value(), record.context())));
    world.oracle.batchBegins(process, runs);
    boolean throwsInTheEnd = world.chaos && world.oneIn(8);
    for (int i = 0; i < runs.size(); i++) {
      end(runs.get(i), records.get(i), throwsInTheEnd);
    }
    if (throwsInTheEnd && world.bug.tellsFailureInBatch()) {
      throw new Failure();
    }
  }

  private void end(Running run, BatchRecord<String> record, boolean throwsInTheEnd) {
    SimWorld world = process.world;
    Exception notSent = run.sendAll();
    if (notSent != null) {
      world.oracle.handlerFailed(process, run);
      record.retry(notSent);
    } else if (world.chaos && world.oneIn(8)) {
      world.oracle.handlerFailed(process, run);
      if (world.oneIn(6)) {
        record.deadLetter(new Failure());
      } else {
        record.retry(new Failure());
      }
    } else if (world.oneIn(2)) {
      world.oracle.handlerDone(process, run);
      record.done();
    } else if (throwsInTheEnd) {
      world.oracle.handlerFailed(process, run);
    } else {
      world.oracle.handlerDone(process, run);
    }
  }
}
