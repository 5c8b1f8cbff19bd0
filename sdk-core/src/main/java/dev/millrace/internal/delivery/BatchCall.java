package dev.millrace.internal.delivery;

import dev.millrace.consumer.BatchHandler;
import dev.millrace.errors.PayloadException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.start.Pass;
import dev.millrace.internal.time.EngineClock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt at several records: decode each, and call the handler with those that have a value.
 */
final class BatchCall<V> {
  private final ValueDecoder<V> decoder;
  private final BatchHandler<V> handler;
  private final Recovery recovery;
  private final ConsumerMeters meters;
  private final IntConsumer sizes;
  private final EngineClock clock;
  private final RecordEnds ends;

  BatchCall(
      ValueDecoder<V> decoder,
      BatchHandler<V> handler,
      Recovery recovery,
      ConsumerMeters meters,
      EngineClock clock,
      RecordEnds ends) {
    this.decoder = decoder;
    this.handler = handler;
    this.recovery = recovery;
    this.meters = meters;
    this.sizes = meters.batchSizes();
    this.clock = clock;
    this.ends = ends;
  }

  /**
   * Worker, with the deliveries' tickets claimed. Throws nothing, whatever the handler throws.
   *
   * @param pass told what comes of it; null when nobody asks
   * @return what came of each delivery
   */
  Map<Delivery, Outcome> attempt(List<Delivery> deliveries, @Nullable Pass pass) {
    Map<Delivery, Outcome> outcomes = new LinkedHashMap<>();
    List<BatchedRecord<V>> records = new ArrayList<>(deliveries.size());
    for (Delivery delivery : deliveries) {
      Throwable refused = delivery.givenUp();
      if (refused != null) {
        delivery.ends();
        outcomes.put(delivery, recovery.giveUp(refused, GaveUp.of(delivery)));
        continue;
      }
      try {
        records.add(
            new BatchedRecord<>(delivery, decoder.decode(delivery.record()), recovery, ends));
      } catch (PayloadException undecodable) {
        outcomes.put(delivery, undecoded(delivery, undecodable));
      }
    }
    if (records.isEmpty()) {
      if (pass != null) {
        pass.unused();
      }
    } else {
      Throwable failure = handle(records, deliveries.get(0).startedNanos());
      // First for all: then nobody interrupts this thread any more for one of them.
      records.forEach(record -> record.delivery().ends());
      Thread.interrupted(); // Whoever has set it: the next handler must not find it.
      records.forEach(record -> outcomes.put(record.delivery(), record.end(failure)));
      if (pass != null) {
        pass.ended(failure == null ? failureOfAll(records, outcomes) : failure);
      }
    }
    return outcomes;
  }

  /** A handler that fails all of its records has failed; one that fails some says so of these. */
  private @Nullable Throwable failureOfAll(
      List<BatchedRecord<V>> records, Map<Delivery, Outcome> outcomes) {
    Throwable first = null;
    for (BatchedRecord<V> record : records) {
      Throwable cause = Objects.requireNonNull(outcomes.get(record.delivery())).cause();
      if (cause == null) {
        return null;
      }
      first = first == null ? cause : first;
    }
    return first;
  }

  private Outcome undecoded(Delivery delivery, PayloadException failure) {
    // Of a decoder that was interrupted, nothing follows for the bytes.
    return delivery.ends() && Thread.interrupted()
        ? recovery.tryAgain(Attempt.of(delivery), failure)
        : recovery.afterUndecodable(Attempt.of(delivery), failure);
  }

  private @Nullable Throwable handle(List<BatchedRecord<V>> records, long start) {
    sizes.accept(records.size());
    try {
      handler.handle(List.copyOf(records));
      meters.handlerReturned(clock.nanos() - start);
      return null;
    } catch (Throwable failure) { // Errors too: no offset may pass a record that failed.
      meters.handlerFailed(clock.nanos() - start);
      return failure;
    }
  }
}
