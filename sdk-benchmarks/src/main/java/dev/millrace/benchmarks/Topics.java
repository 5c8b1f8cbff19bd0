package dev.millrace.benchmarks;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.HashMap;
import java.util.Map;

/**
 * The topics of one workload. One that is filled beforehand serves all runs with as many records;
 * where records are sent while they are handled, or none are read, each run has its own.
 */
final class Topics implements AutoCloseable {
  private final KafkaCluster kafka;
  private final Workload workload;
  private final Map<String, Topic> byName = new HashMap<>();

  Topics(KafkaCluster kafka, Workload workload) {
    this.kafka = kafka;
    this.workload = workload;
  }

  Topic of(int records, String run) {
    boolean own =
        switch (workload.scenario()) {
          case LATENCY, HANDLES -> true;
          case THROUGHPUT, BACKOFF, KILL, HEAP, COPY -> false;
        };
    return byName.computeIfAbsent(
        own ? run : workload.name() + "-" + records,
        name -> {
          Topic topic = new Topic(kafka, workload, name, records);
          if (!own) {
            topic.fill();
          }
          return topic;
        });
  }

  @Override
  public void close() {
    byName.values().forEach(topic -> kafka.deleteTopic(topic.name()));
  }
}
