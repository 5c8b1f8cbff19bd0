package dev.millrace.internal.consumer;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.MissingOffset;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A mistake that an engine might make, made between the engine and its surroundings, so that the
 * checks can be seen to find it. By default there is none.
 */
interface SimBug {
  SimBug NONE = new SimBug() {};

  /** What the engine commits. */
  default Map<TopicPartition, OffsetAndMetadata> commits(
      SimConsumer client, Map<TopicPartition, OffsetAndMetadata> offsets) {
    return offsets;
  }

  /** Whether only exactly-once consumers make it. */
  default boolean isOfTransactions() {
    return false;
  }

  /** Whether a new transactional client keeps those before it from going on. */
  default boolean fences() {
    return true;
  }

  /** Whether a transaction is refused of which something was not sent. */
  default boolean remembersFailedSends() {
    return true;
  }

  /** Whether a commit fails that has no answer. */
  default boolean tellsOfUnansweredCommit() {
    return true;
  }

  /** Whether offsets are refused that come from a former member. */
  default boolean checksGeneration() {
    return true;
  }

  /** Whether the client goes back when a transaction was not committed. */
  default boolean goesBack() {
    return true;
  }

  /** Whether the last commit is found when it is asked for, and not the one before it. */
  default boolean findsLastCommit() {
    return true;
  }

  /** Whether offsets that are about to change are waited for. */
  default boolean asksForStableOffsets() {
    return true;
  }

  /** Whether a commit before partitions leave is made at all. */
  default boolean commitsAtOnce() {
    return true;
  }

  /** What is read back of what was committed. */
  default OffsetAndMetadata readsBack(OffsetAndMetadata committed) {
    return committed;
  }

  /** Whether a partition is paused when the engine asks for it. */
  default boolean pauses(boolean inRebalance) {
    return true;
  }

  /** Whether a partition is resumed when the engine asks for it. */
  default boolean resumes() {
    return true;
  }

  /** Whether the engine learns that partitions leave. */
  default boolean tellsRevoked() {
    return true;
  }

  /** Whether a polled record reaches the engine. */
  default boolean delivers(long offset) {
    return true;
  }

  /** What is due. */
  default void timer(Runnable task) {
    task.run();
  }

  /** What the engine sees of a handler's end. */
  default CompletionStage<?> stage(CompletableFuture<@Nullable Void> end) {
    return end;
  }

  /** Which key the engine sees. */
  default byte @Nullable [] key(byte @Nullable [] key, long offset) {
    return key;
  }

  /** Whether the listener's thread gets a call. */
  default boolean tellsListener() {
    return true;
  }

  /** What the engine is told of its watchdog. */
  default HandlerWatchdogDefinition watchdog(HandlerWatchdogDefinition wanted) {
    return wanted;
  }

  /** What the engine is told of where to go on. */
  default MissingOffset onMissingOffset(MissingOffset wanted) {
    return wanted;
  }

  /** Where the client goes on, when the engine wants it to. */
  default long seeks(long offset) {
    return offset;
  }

  /** What the engine sees of a record's leader epoch. */
  default int epoch(int epoch) {
    return epoch;
  }

  /** Whether the engine learns that a handler of batches has failed with a record. */
  default boolean tellsFailureInBatch() {
    return true;
  }

  /** Whether the answer to a commit is given to the engine. */
  default boolean answersCommits() {
    return true;
  }
}
