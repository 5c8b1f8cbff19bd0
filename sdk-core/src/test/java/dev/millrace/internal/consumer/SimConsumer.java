package dev.millrace.internal.consumer;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A process's Kafka client, with the real one's habits: rebalances and answers to commits come
 * inside a poll, commits reach the broker in their order, and a wake-up is a flag that any waiting
 * call may find. It waits for nothing.
 */
final class SimConsumer extends MockConsumer<byte[], byte[]> {
  /** A commit on its way to the broker, or on its way back. */
  private record Request(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {}

  private final SimProcess process;
  private final SimBroker broker;
  private final SimWorld world;
  private final Set<TopicPartition> owned = new LinkedHashSet<>();
  private final Set<TopicPartition> paused = new HashSet<>();
  private final Map<TopicPartition, Long> positions = new HashMap<>();
  private final Deque<Request> requests = new ArrayDeque<>();
  private final List<Runnable> answers = new ArrayList<>();
  private @Nullable ConsumerRebalanceListener listener;
  private boolean member;
  private boolean fenced;
  private boolean woken;
  private boolean inRebalance;

  /** Whether what is committed before partitions leave was refused or not answered. */
  private boolean commitFailed;

  SimConsumer(SimProcess process, SimBroker broker) {
    super("none");
    this.process = process;
    this.broker = broker;
    this.world = process.world;
  }

  /** Returns where the next fetch goes on. */
  long nextOffset(TopicPartition partition) {
    return positions.computeIfAbsent(
        partition,
        name -> {
          OffsetAndMetadata committed = broker.committed.get(name);
          return committed == null ? 0 : committed.offset();
        });
  }

  boolean hasRequests() {
    return !requests.isEmpty();
  }

  // The group.

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener engine) {
    listener = engine;
  }

  @Override
  public synchronized ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    throwIfWoken();
    process.pollWaits(timeout);
    List<Runnable> arrived = List.copyOf(answers);
    answers.clear();
    arrived.forEach(Runnable::run);
    rejoin();
    return fetch();
  }

  private void rejoin() {
    if (fenced) {
      flush(); // They carry the old member's id, and are refused.
      fenced = false;
      member = false;
      List<TopicPartition> lost = List.copyOf(owned);
      if (!lost.isEmpty()) {
        listener().onPartitionsLost(lost);
      }
      forget(lost);
    }
    if (!member) {
      member = true;
      broker.join(this);
    }
    List<TopicPartition> leaving = new ArrayList<>(owned);
    leaving.removeIf(partition -> broker.isMeantFor(this, partition));
    if (!leaving.isEmpty()) {
      revoke(leaving);
    }
    if (fenced) {
      return;
    }
    List<TopicPartition> taken = broker.take(this);
    if (!taken.isEmpty()) {
      owned.addAll(taken);
      taken.forEach(partition -> world.oracle.assigned(process, partition));
      inRebalance = true;
      listener().onPartitionsAssigned(taken);
      inRebalance = false;
    }
  }

  private void revoke(List<TopicPartition> leaving) {
    commitFailed = false;
    leaving.forEach(partition -> world.oracle.revoking(process, partition));
    if (world.bug.tellsRevoked()) {
      listener().onPartitionsRevoked(leaving);
    }
    flush();
    if (!fenced && !commitFailed && broker.takesAllMetadata()) {
      leaving.forEach(partition -> world.oracle.revoked(process, partition));
    }
    forget(leaving);
    leaving.forEach(partition -> broker.release(this, partition));
  }

  private void forget(Collection<TopicPartition> gone) {
    gone.forEach(partition -> world.oracle.gone(process, partition));
    gone.forEach(owned::remove);
    gone.forEach(paused::remove);
    gone.forEach(positions::remove);
  }

  /** The coordinator has thrown it out; it does not know yet. */
  void fenced() {
    fenced = true;
  }

  boolean isMember() {
    return member && !fenced;
  }

  /** It is killed: of what is on its way, some still arrives. */
  void died() {
    while (!requests.isEmpty() && world.random.nextBoolean()) {
      arrive(requests.remove());
    }
    requests.clear();
    broker.leave(this);
  }

  @Override
  public void close(CloseOptions options) {
    flush();
  }

  /** After its close. */
  void leave() {
    broker.leave(this);
  }

  private ConsumerRebalanceListener listener() {
    if (listener == null) {
      throw new IllegalStateException("not subscribed");
    }
    return listener;
  }

  // Records.

  private ConsumerRecords<byte[], byte[]> fetch() {
    int room = world.random.nextInt(SimWorld.MAX_POLL + 1);
    Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> records = new LinkedHashMap<>();
    Map<TopicPartition, OffsetAndMetadata> next = new LinkedHashMap<>();
    List<TopicPartition> order = new ArrayList<>(owned);
    Collections.shuffle(order, world.random);
    for (TopicPartition partition : order) {
      SimBroker.Log log = broker.log(partition);
      long position = nextOffset(partition);
      if (paused.contains(partition) || position >= log.end) {
        continue;
      }
      List<ConsumerRecord<byte[], byte[]>> batch = new ArrayList<>();
      for (Map.Entry<Long, String> entry : log.keys.tailMap(position, true).entrySet()) {
        if (room == 0) {
          break;
        }
        room--;
        position = entry.getKey() + 1;
        if (world.bug.delivers(entry.getKey())) {
          batch.add(record(partition, entry.getKey(), entry.getValue()));
        }
      }
      if (log.keys.tailMap(position, true).isEmpty() && world.random.nextBoolean()) {
        position = log.end; // Markers at the end.
      }
      if (position > positions.get(partition)) {
        world.oracle.fetched(process, partition);
        positions.put(partition, position);
        next.put(partition, new OffsetAndMetadata(position, Optional.of(0), ""));
        if (!batch.isEmpty()) {
          records.put(partition, batch);
        }
      }
    }
    return new ConsumerRecords<>(records, next);
  }

  private ConsumerRecord<byte[], byte[]> record(TopicPartition partition, long offset, String key) {
    byte[] bytes = world.bug.key(key.isEmpty() ? null : bytes(key), offset);
    byte[] value = bytes(key + offset);
    return new ConsumerRecord<>(
        partition.topic(),
        partition.partition(),
        offset,
        0L,
        TimestampType.CREATE_TIME,
        bytes == null ? -1 : bytes.length,
        value.length,
        bytes,
        value,
        new RecordHeaders(),
        Optional.of(0));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void seek(TopicPartition partition, long offset) {
    if (!owned.contains(partition)) {
      throw new IllegalStateException("No current assignment for partition " + partition);
    }
    world.oracle.sought(process, partition, offset);
    positions.put(partition, offset);
  }

  @Override
  public synchronized void pause(Collection<TopicPartition> partitions) {
    requireOwned(partitions);
    if (world.bug.pauses(inRebalance)) {
      paused.addAll(partitions);
    }
  }

  @Override
  public synchronized void resume(Collection<TopicPartition> partitions) {
    requireOwned(partitions);
    if (world.bug.resumes()) {
      paused.removeAll(partitions);
    }
  }

  private void requireOwned(Collection<TopicPartition> partitions) {
    if (!owned.containsAll(partitions)) {
      throw new IllegalStateException("No current assignment for one of " + partitions);
    }
  }

  @Override
  public synchronized OptionalLong currentLag(TopicPartition partition) {
    Long position = positions.get(partition);
    return position == null
        ? OptionalLong.empty()
        : OptionalLong.of(broker.log(partition).end - position);
  }

  // Commits.

  @Override
  public synchronized void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    Map<TopicPartition, OffsetAndMetadata> made = world.bug.commits(this, offsets);
    world.oracle.commits(process, made);
    requests.add(new Request(made, callback));
  }

  /** The oldest request reaches the broker; the answer comes in a later poll. */
  void arriveNext() {
    arrive(requests.remove());
  }

  private void arrive(Request request) {
    Exception failure = applied(request.offsets());
    if (world.bug.answersCommits()) {
      answers.add(() -> request.callback().onComplete(request.offsets(), failure));
    }
  }

  private void flush() {
    while (!requests.isEmpty()) {
      arriveNext();
    }
  }

  @Override
  public void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
    throwIfWoken();
    flush();
    Map<TopicPartition, OffsetAndMetadata> made = world.bug.commits(this, offsets);
    if (!world.bug.commitsAtOnce()) {
      return;
    }
    world.oracle.commits(process, made);
    Exception failure = applied(made);
    if (failure instanceof RuntimeException thrown) {
      commitFailed |= !(failure instanceof OffsetMetadataTooLarge);
      if (failure instanceof RetriableCommitFailedException) {
        throw world.random.nextBoolean()
            ? new TimeoutException("the coordinator does not answer")
            : new RebalanceInProgressException("wait");
      }
      throw thrown;
    }
  }

  private @Nullable Exception applied(Map<TopicPartition, OffsetAndMetadata> offsets) {
    if (!isMember()) {
      return new CommitFailedException("not a member any more");
    }
    if (!broker.takesMetadata(offsets)) {
      return new OffsetMetadataTooLarge("too much");
    }
    boolean refused = world.chaos && world.oneIn(10);
    if (!refused) {
      world.oracle.committed(process, offsets);
      broker.commit(offsets);
    }
    boolean lost = world.chaos && world.oneIn(10);
    return refused || lost ? new RetriableCommitFailedException("no answer") : null;
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    throwIfWoken();
    if (world.chaos && world.oneIn(20)) {
      partitions.forEach(partition -> world.oracle.couldNotReadBack(process, partition));
      throw new TimeoutException("no coordinator");
    }
    Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
    for (TopicPartition partition : partitions) {
      OffsetAndMetadata committed = broker.committed.get(partition);
      found.put(partition, committed == null ? null : world.bug.readsBack(committed));
    }
    return found;
  }

  @Override
  public synchronized Map<TopicPartition, Long> beginningOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return offsets(partitions, false);
  }

  @Override
  public synchronized Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return offsets(partitions, true);
  }

  private Map<TopicPartition, Long> offsets(Collection<TopicPartition> partitions, boolean ends) {
    throwIfWoken();
    if (world.chaos && world.oneIn(20)) {
      throw new TimeoutException("no leader");
    }
    Map<TopicPartition, Long> found = new HashMap<>();
    partitions.forEach(
        partition -> found.put(partition, ends ? broker.log(partition).end : Long.valueOf(0)));
    return found;
  }

  @Override
  @SuppressWarnings("UnsynchronizedOverridesSynchronized")
  public void wakeup() {
    woken = true;
  }

  private void throwIfWoken() {
    if (woken) {
      woken = false;
      throw new WakeupException();
    }
  }
}
