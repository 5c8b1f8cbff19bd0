package dev.millrace.internal.consumer;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.internal.delivery.Handling;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/** The ways in which a handler may run. */
enum HandlerWay {
  WORKER,
  EXECUTOR,
  ASYNC,
  BATCH;

  /**
   * Starts the engine with the handler; of a batch each record that fails is tried again by itself.
   */
  void start(EngineFixture engine, RecordHandler<String> handler, Executor pool) {
    switch (this) {
      case WORKER -> engine.start(handler);
      case EXECUTOR -> engine.start(Handling.onExecutor(handler, pool));
      case ASYNC ->
          engine.startAsync(
              (value, context) ->
                  CompletableFuture.runAsync(
                      () -> {
                        try {
                          handler.handle(value, context);
                        } catch (Exception e) {
                          throw new CompletionException(e);
                        }
                      },
                      pool));
      case BATCH ->
          engine.startBatch(
              records ->
                  records.forEach(
                      record -> {
                        try {
                          handler.handle(record.value(), record.context());
                        } catch (Exception e) {
                          record.retry(e);
                        }
                      }));
    }
  }
}
