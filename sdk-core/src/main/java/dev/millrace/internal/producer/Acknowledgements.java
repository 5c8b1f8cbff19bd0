package dev.millrace.internal.producer;

import dev.millrace.errors.SendAllException;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/** Waiting for what sends have led to. */
final class Acknowledgements {
  private Acknowledgements() {}

  /** Returns all in their order; or what failed, when the last one has ended. */
  static CompletableFuture<List<RecordMetadata>> ofAll(
      String producer, List<CompletableFuture<RecordMetadata>> sent) {
    return CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new))
        .handle(
            (all, failure) -> {
              if (failure != null) {
                throw new SendAllException(producer, sent.size(), failures(sent));
              }
              return sent.stream().map(CompletableFuture::join).toList();
            });
  }

  private static SortedMap<Integer, Throwable> failures(
      List<CompletableFuture<RecordMetadata>> sent) {
    SortedMap<Integer, Throwable> failures = new TreeMap<>();
    for (int i = 0; i < sent.size(); i++) {
      int index = i;
      var unused =
          sent.get(i)
              .whenComplete(
                  (metadata, failure) -> {
                    if (failure != null) {
                      failures.put(index, failure);
                    }
                  });
    }
    return failures;
  }

  /** Waits for one, for as long as is left of a time-out that began at {@code startNanos}. */
  static RecordMetadata await(
      String producer, CompletableFuture<RecordMetadata> sent, long startNanos, Duration timeout) {
    try {
      long left = timeout.toNanos() - (System.nanoTime() - startNanos);
      return sent.get(Math.max(0, left), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new org.apache.kafka.common.errors.TimeoutException(
          "Producer '%s': no acknowledgement within %d ms. The record may still be written: the client goes on trying until delivery.timeout.ms has passed."
              .formatted(producer, timeout.toMillis()),
          e);
    } catch (InterruptedException e) {
      throw new InterruptException(
          "Producer '" + producer + "': interrupted; the record may still be written.", e);
    } catch (ExecutionException e) {
      throw thrown(producer, e.getCause());
    }
  }

  private static RuntimeException thrown(String producer, @Nullable Throwable failure) {
    return failure instanceof RuntimeException asItIs
        ? asItIs
        : new KafkaException("Producer '" + producer + "' could not send.", failure);
  }
}
