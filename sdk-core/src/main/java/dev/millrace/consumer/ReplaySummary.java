package dev.millrace.consumer;

import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * How far a {@link Replay} has come.
 *
 * @param partitions those that had something to read, each with how far it has come
 * @param handled records whose handler has returned
 * @param deadLettered records whose attempts were used up, and that are in their dead-letter topic
 */
public record ReplaySummary(
    Map<TopicPartition, Progress> partitions, long handled, long deadLettered) {

  public ReplaySummary {
    partitions = Map.copyOf(partitions);
  }

  /** Returns whether everything in the range has ended. */
  public boolean isComplete() {
    return partitions.values().stream().allMatch(Progress::isComplete);
  }

  /**
   * One partition.
   *
   * @param from the first offset of the range, or of what the log still had of it
   * @param to the first offset that is not read any more
   * @param position every record of the range before this offset has ended
   */
  public record Progress(long from, long to, long position) {

    /** Returns whether everything in the partition's range has ended. */
    public boolean isComplete() {
      return position >= to;
    }
  }
}
