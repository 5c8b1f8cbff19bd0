package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.delivery.RecordEnds;
import dev.millrace.internal.metrics.ConsumerMeters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.time.EngineClock;
import dev.millrace.internal.transaction.Slice;
import dev.millrace.internal.transaction.Slices;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;

/** What an exactly-once consumer has besides what all have: its slices, and their courses. */
final class ExactlyOnce {
  private final String consumer;
  private final Consumer<?, ?> client;
  private final Assignment assignment;
  private final ConsumerMeters meters;
  private final EngineClock clock;
  private final Duration interval;
  private final Poisoned poisoned;
  private final Rewind rewind;
  private final Slices slices;
  private final RecordEnds ends;
  private final TransactionalCommits commits;

  /**
   * @param poisoned what its intake asks
   * @param wake has the poll thread look after what it waits for
   */
  ExactlyOnce(
      ConsumerDefinition definition,
      TransactionRoute route,
      Consumer<?, ?> client,
      BrokerCalls calls,
      Assignment assignment,
      Poisoned poisoned,
      ConsumerMeters meters,
      EngineRuntime runtime,
      Runnable wake) {
    this.consumer = definition.name();
    this.client = client;
    this.assignment = assignment;
    this.meters = meters;
    this.clock = runtime.clock();
    this.interval = definition.commitInterval();
    this.poisoned = poisoned;
    this.rewind = new Rewind(consumer, client, calls, assignment);
    this.slices = new Slices(route.transactions(), runtime::transactionCalls, wake);
    this.ends = RecordEnds.in(slices, route.serializer());
    this.commits =
        new TransactionalCommits(
            consumer, slices, this::course, definition.commitRecords(), runtime.signal(), clock);
    assignment.afterLeave(commits::left);
  }

  private SliceCourse course(Slice slice) {
    return new SliceCourse(
        consumer,
        slice,
        () -> partitionsOf(slice),
        client::groupMetadata,
        rewind,
        poisoned,
        meters,
        clock,
        interval.toNanos());
  }

  private List<AssignedPartition> partitionsOf(Slice slice) {
    return assignment.all().stream()
        .filter(partition -> slices.of(partition.partition()) == slice)
        .toList();
  }

  Commits commits() {
    return commits;
  }

  RecordEnds ends() {
    return ends;
  }

  /**
   * Poll thread, in a rebalance. Has what earlier owners had done be asked for until it is known,
   * since none of it may be handled again; open transactions must not wait for it.
   */
  BooleanSupplier insisting(StopRequest stop) {
    return () -> {
      if (stop.isRequested()) {
        throw new KafkaException("Consumer '" + consumer + "' is told to stop.");
      }
      commits.step();
      return true;
    };
  }

  /** Poll thread, at the end. What is open is not committed. */
  void close(Duration bound) {
    slices.close(bound);
  }
}
