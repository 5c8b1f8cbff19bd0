package dev.millrace.deadletter;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * The dead letters of one consumer's group, and the way back for them. All methods may be called
 * from any thread, block the caller, and open Kafka clients of their own that they close again;
 * none needs the consumer to run.
 *
 * <p>A dead letter is open until it has been redriven. What has been is noted in the offsets of the
 * group <code>{group-id}.redrive</code>, so it counts for whoever asks next, in whatever process.
 * The brokers keep the note for {@code offsets.retention.minutes} (7 days) after the last redrive;
 * what the dead-letter topic still has by then counts as open again, unless it was {@linkplain
 * #deleteBefore deleted}.
 *
 * <p>All of them throw {@link dev.millrace.errors.BrokerUnavailableException} when no broker
 * answers, {@link dev.millrace.errors.MillraceException} when the brokers refuse, and {@link
 * IllegalStateException} when the factory is closed.
 */
public interface DeadLetters {

  /**
   * Returns the open dead letters that pass the filter, each partition's in offset order.
   *
   * @param most no more than so many, which all are in memory; at least 1
   */
  List<DeadLetter> list(DeadLetterFilter filter, int most);

  /**
   * Returns what stands at one place of a dead-letter topic, open or not.
   *
   * @return empty when there is no dead letter of this group
   * @throws IllegalArgumentException when the partition is none of its dead-letter topics'
   */
  Optional<DeadLetter> show(TopicPartition deadLetterPartition, long offset);

  /** Returns what {@link #redrive} would do now, and does nothing. */
  RedriveReport dryRun(Redrive what);

  /**
   * Sends open dead letters back to their topics, and to the partitions they came from if there are
   * such: key, value and the headers they had at first, with a mark that has other groups' Millrace
   * consumers pass over them. Consumers that are not Millrace's see them again. What was
   * {@linkplain DeadLetter#isComplete left out} of one is read where it came from.
   *
   * <p>Each transaction holds some records and the note that they are redriven. So each is redriven
   * once, whenever this is interrupted or killed: whoever calls it again goes on. Readers of
   * uncommitted records may see those of a transaction that was aborted, too.
   *
   * <p>There is one redrive of a group at a time. A second one is refused in the same factory; from
   * another process it takes over, and the first one fails.
   *
   * @return what was redriven of what was there at the call
   * @throws InterruptedException when interrupted; what is noted stays
   * @throws IllegalStateException when one is under way already
   * @throws dev.millrace.errors.MillraceException when it can't go on; what is noted stays
   */
  RedriveReport redrive(Redrive what) throws InterruptedException;

  /**
   * Deletes the beginning of a dead-letter partition for good, open or not (Kafka's {@code
   * deleteRecords}).
   *
   * @param offset the first that stays; at most the log end
   * @return how many open dead letters were deleted
   * @throws IllegalArgumentException when the partition is none of its dead-letter topics', or the
   *     offset lies behind the log end
   * @throws IllegalStateException when the topic is compacted only, or there are dead letters of
   *     other groups before the offset; nothing is deleted
   */
  long deleteBefore(TopicPartition deadLetterPartition, long offset);

  /**
   * Writes a tombstone for a dead letter's key into a compacted dead-letter topic: in time, the
   * brokers delete all dead letters of this key before it. Until then they are listed.
   *
   * @throws IllegalStateException when the topic is not compacted, or the dead letter has no key
   */
  void tombstone(DeadLetter letter);
}
