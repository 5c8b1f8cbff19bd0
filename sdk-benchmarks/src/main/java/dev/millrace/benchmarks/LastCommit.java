package dev.millrace.benchmarks;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/**
 * The commit beyond the last record of a topic, as the group's coordinator has it: the offsets of a
 * transaction count from its commit on.
 */
final class LastCommit implements Throughput.End {
  /** Rarely enough to cost nothing, and often against the interval of commits. */
  private static final int LOOK_MILLIS = 5;

  private final Admin admin;
  private final Contender.Source source;
  private final int records;

  LastCommit(Contender.Source source, int records) {
    this.admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, source.brokers()));
    this.source = source;
    this.records = records;
  }

  @Override
  public void await() throws InterruptedException {
    try (admin) {
      while (committed() < records) {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("The group's offsets can't be read", e);
    }
  }

  private long committed() throws ExecutionException, InterruptedException {
    return admin
        .listConsumerGroupOffsets(source.group())
        .partitionsToOffsetAndMetadata()
        .get()
        .values()
        .stream()
        .mapToLong(offset -> offset.offset())
        .sum();
  }
}
