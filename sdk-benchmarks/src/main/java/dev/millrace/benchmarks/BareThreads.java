package dev.millrace.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * As many threads as there are permits that wait as the handlers do, without Kafka: since a sleep
 * takes longer than it says, this is what the machine can reach of the limit.
 */
final class BareThreads implements Contender {
  @Override
  public Running start(Workload workload, Source source, Handling handling) throws Exception {
    AtomicInteger next = new AtomicInteger();
    ExecutorService threads = threads(workload);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < workload.permits(); i++) {
      running.add(
          threads.submit(
              () -> {
                for (int n = next.getAndIncrement();
                    n < handling.records();
                    n = next.getAndIncrement()) {
                  handling.waitOnly(n);
                }
                return null;
              }));
    }
    return () -> {
      threads.shutdown();
      for (Future<?> thread : running) {
        thread.get();
      }
    };
  }

  /** By reflection, since the JDK that compiles this has no virtual threads. */
  static ExecutorService threads(Workload workload) throws ReflectiveOperationException {
    return workload.isVirtual()
        ? (ExecutorService)
            Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null)
        : Executors.newFixedThreadPool(workload.permits());
  }
}
