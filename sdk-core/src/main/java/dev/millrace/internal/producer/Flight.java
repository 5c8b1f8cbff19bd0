package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ProducerMeters;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/**
 * One record on its way. Any thread.
 *
 * <p>Invariant: it ends once, though a client may report a failure to its callback and throw it,
 * and though the future is its user's, who may have completed it before.
 */
final class Flight implements Callback {
  private final CompletableFuture<RecordMetadata> future = new CompletableFuture<>();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final int size;
  private final Admission admission;
  private final ProducerMeters meters;

  /**
   * @param size what it has of {@code admission}, and gives back at its end
   */
  Flight(int size, Admission admission, ProducerMeters meters) {
    this.size = size;
    this.admission = admission;
    this.meters = meters;
  }

  CompletableFuture<RecordMetadata> future() {
    return future;
  }

  /**
   * Before the future is completed, all that counts it has counted its end.
   *
   * <p>The client's I/O thread, or the sending one when the client refuses the record at once.
   */
  @Override
  public void onCompletion(RecordMetadata metadata, @Nullable Exception failure) {
    if (failure != null) {
      fail(failure);
    } else if (ended.compareAndSet(false, true)) {
      admission.leave(size);
      meters.acknowledged();
      future.complete(metadata);
    }
  }

  void fail(Exception failure) {
    if (ended.compareAndSet(false, true)) {
      admission.leave(size);
      meters.failed();
      future.completeExceptionally(failure);
    }
  }
}
