package dev.millrace.benchmarks;

import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Fails once at the first record of each key that is to rest, before anything is done for it. */
final class FailingHandler implements RecordHandler<byte[]> {
  private final Workload workload;
  private final RecordHandler<byte[]> handler;
  private final Set<Integer> failed = ConcurrentHashMap.newKeySet();

  FailingHandler(Workload workload, RecordHandler<byte[]> handler) {
    this.workload = workload;
    this.handler = handler;
  }

  @Override
  public void handle(byte[] value, RecordContext context) throws Exception {
    int sequence = Payload.sequence(value);
    if (workload.rests(sequence) && failed.add(workload.keyOf(sequence))) {
      throw new IllegalStateException("The key is to rest.");
    }
    handler.handle(value, context);
  }
}
