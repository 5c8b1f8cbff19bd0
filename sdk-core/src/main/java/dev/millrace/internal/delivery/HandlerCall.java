package dev.millrace.internal.delivery;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.PayloadException;
import dev.millrace.internal.channel.Delivery;
import dev.millrace.internal.metrics.ConsumerMeters;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/** One attempt at a record: decode, call the handler, and make an outcome of what came back. */
final class HandlerCall<V> {
  private final Deserializer<V> deserializer;
  private final RecordHandler<? super V> handler;
  private final Recovery recovery;
  private final ConsumerMeters meters;

  HandlerCall(
      Deserializer<V> deserializer,
      RecordHandler<? super V> handler,
      Recovery recovery,
      ConsumerMeters meters) {
    this.deserializer = deserializer;
    this.handler = handler;
    this.recovery = recovery;
    this.meters = meters;
  }

  /** Worker, with the delivery's ticket claimed. Throws nothing, whatever the handler throws. */
  Outcome attempt(Delivery delivery) {
    V value;
    try {
      value = decode(delivery.record());
    } catch (PayloadException undecodable) {
      return recovery.giveUp(undecodable);
    }
    long start = System.nanoTime();
    Throwable failure = call(value, delivery);
    long nanos = System.nanoTime() - start;
    if (failure == null) {
      meters.handlerReturned(nanos);
      return Outcome.Handled.INSTANCE;
    }
    meters.handlerFailed(nanos);
    return delivery.ticket().isAbandoned()
        ? Outcome.Abandoned.INSTANCE
        : recovery.after(delivery.attempt(), failure);
  }

  /** Errors count too: an offset must not pass a record because its handler ran out of memory. */
  private @Nullable Throwable call(V value, Delivery delivery) {
    try {
      handler.handle(value, new HandlerContext(delivery.record(), delivery.attempt()));
      return null;
    } catch (Throwable failure) {
      return failure;
    } finally {
      // A flag that this handler left behind must not fail the next record's handler.
      Thread.interrupted();
    }
  }

  private V decode(ConsumerRecord<byte[], byte[]> record) {
    try {
      return deserializer.deserialize(record.topic(), record.headers(), record.value());
    } catch (PayloadException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      // Its text may quote the payload, and ends in logs and headers.
      PayloadException undecodable =
          new PayloadException("The value could not be decoded: " + e.getClass().getName(), null);
      undecodable.setStackTrace(e.getStackTrace());
      throw undecodable;
    }
  }
}
