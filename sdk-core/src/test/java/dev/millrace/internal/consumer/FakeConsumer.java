package dev.millrace.internal.consumer;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's own fake consumer, which also remembers the commits, tells when it is revoking, and has
 * the real one's wake-up: a flag that any waiting call may find.
 */
final class FakeConsumer extends MockConsumer<byte[], byte[]> {
  final List<Map<TopicPartition, OffsetAndMetadata>> commits = new CopyOnWriteArrayList<>();
  final AtomicInteger polls = new AtomicInteger();
  volatile boolean revoking;
  volatile boolean committedFails;

  /** Polls that may wait do so until they are woken. */
  volatile boolean patient;

  /** Asynchronous commits get their answers only when {@link #answerCommits} is called. */
  volatile boolean commitsHeld;

  volatile @Nullable KafkaException commitFailure;

  /** The answers to the next commits that are waited for. */
  final Queue<KafkaException> refusals = new ConcurrentLinkedQueue<>();

  volatile Runnable onRefusal = () -> {};

  /** Run whenever the end of a log is asked for. */
  volatile Runnable onOffsetsAsked = () -> {};

  /** What the next poll returns: no record, but a position that has moved on over markers. */
  volatile @Nullable Map<TopicPartition, OffsetAndMetadata> onlyMarkers;

  private final Queue<Runnable> heldAnswers = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private volatile @Nullable Thread poller;
  private ConsumerRebalanceListener listener = new NoListener();

  FakeConsumer(String reset, TopicPartition... partitions) {
    super(reset);
    for (TopicPartition partition : partitions) {
      updateBeginningOffsets(Map.of(partition, 0L));
      updateEndOffsets(Map.of(partition, 0L));
    }
    setMaxPollRecords(EngineFixture.MAX_POLL);
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener engine) {
    listener =
        new ConsumerRebalanceListener() {
          @Override
          public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            revoking = true;
            engine.onPartitionsRevoked(partitions);
            revoking = false;
          }

          @Override
          public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            engine.onPartitionsAssigned(partitions);
          }

          @Override
          public void onPartitionsLost(Collection<TopicPartition> partitions) {
            engine.onPartitionsLost(partitions);
          }
        };
    super.subscribe(topics, listener);
  }

  /** On the poll thread: the partitions are somebody else's by now. */
  void lose(Collection<TopicPartition> partitions) {
    listener.onPartitionsLost(partitions);
  }

  @Override
  public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    // The fake does not wait for records; without a pause the poll thread would spin.
    LockSupport.parkNanos(Math.min(timeout.toNanos(), 1_000_000));
    poller = Thread.currentThread();
    while (patient && !timeout.isZero() && !woken.get()) {
      LockSupport.park(this);
    }
    throwIfWoken();
    ConsumerRecords<byte[], byte[]> polled = super.poll(timeout);
    polls.incrementAndGet();
    Map<TopicPartition, OffsetAndMetadata> moved = onlyMarkers;
    if (moved != null) {
      onlyMarkers = null;
      return new ConsumerRecords<>(Map.of(), moved);
    }
    return polled;
  }

  @Override
  public synchronized void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    commits.add(offsets);
    if (commitsHeld) {
      heldAnswers.add(() -> super.commitAsync(offsets, callback));
    } else if (commitFailure != null) {
      callback.onComplete(offsets, commitFailure);
    } else {
      super.commitAsync(offsets, callback);
    }
  }

  /** Poll thread. */
  void answerCommits() {
    commitsHeld = false;
    for (Runnable answer = heldAnswers.poll(); answer != null; answer = heldAnswers.poll()) {
      answer.run();
    }
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    throwIfWoken();
    KafkaException refusal = refusals.poll();
    if (refusal != null) {
      onRefusal.run();
      throw refusal;
    }
    commits.add(offsets);
    super.commitSync(offsets, timeout);
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    throwIfWoken();
    if (committedFails) {
      throw new TimeoutException("no coordinator");
    }
    return super.committed(partitions, timeout);
  }

  @Override
  public synchronized Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    onOffsetsAsked.run();
    return super.endOffsets(partitions, timeout);
  }

  /** As if each record's timestamp were its offset. */
  @Override
  public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
      Map<TopicPartition, Long> timestamps, Duration timeout) {
    Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
    timestamps.forEach(
        (partition, time) ->
            found.put(
                partition,
                time < endOffsets(Set.of(partition)).get(partition)
                    ? new OffsetAndTimestamp(time, time)
                    : null));
    return found;
  }

  /** Any thread; not synchronized, since it must not wait for the poll. */
  @Override
  @SuppressWarnings("UnsynchronizedOverridesSynchronized")
  public void wakeup() {
    woken.set(true);
    LockSupport.unpark(poller);
  }

  private void throwIfWoken() {
    if (woken.getAndSet(false)) {
      throw new WakeupException();
    }
  }

  /** Returns the offset last committed for the partition, or -1. */
  long lastCommit(TopicPartition partition) {
    return commits.stream()
        .filter(commit -> commit.containsKey(partition))
        .mapToLong(commit -> commit.get(partition).offset())
        .reduce(-1, (earlier, later) -> later);
  }

  private static final class NoListener implements ConsumerRebalanceListener {
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
  }
}
