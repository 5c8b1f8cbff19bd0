package dev.millrace.internal.consumer;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/** What a handle needs of the consumer behind it. */
interface Engine {

  /** Any thread. */
  Set<TopicPartition> assignedNames();

  /** Returns what a user may ask of it. */
  Controls controls();

  /** Any thread. */
  boolean isHealthy();

  /** Returns whether the calling thread is one that the end waits for. */
  boolean isOwnThread();

  /** The poll thread's whole life. Returns when everything has ended. */
  void run();
}
