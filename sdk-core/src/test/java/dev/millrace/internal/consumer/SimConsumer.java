package dev.millrace.internal.consumer;

import dev.millrace.internal.delivery.RedriveMark;
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
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Headers;
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
      Map<TopicPartition, OffsetAndMetadata> offsets,
      Map<TopicPartition, SimBroker.Commit> commits,
      OffsetCommitCallback callback) {}

  private final SimProcess process;
  private final SimBroker broker;
  private final SimWorld world;
  private final Set<TopicPartition> owned = new LinkedHashSet<>();
  private final Set<TopicPartition> paused = new HashSet<>();
  private final SimPositions positions;
  final SimMember membership;
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
    this.positions = new SimPositions(process, broker);
    this.membership = new SimMember(process);
  }

  /** Returns where the next fetch goes on. */
  long nextOffset(TopicPartition partition) {
    SimPositions.Position position = positions.of(partition);
    return position == null ? 0 : position.offset();
  }

  Set<TopicPartition> owned() {
    return Set.copyOf(owned);
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
    positions.validate(owned, paused);
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
      membership.goesOn();
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
      process.came(
          taken.stream().map(partition -> world.oracle.assigned(process, partition)).toList());
      inRebalance = true;
      try {
        listener().onPartitionsAssigned(taken);
      } finally {
        inRebalance = false;
      }
    }
  }

  private void revoke(List<TopicPartition> leaving) {
    commitFailed = false;
    world.oracle.revoking(process, leaving);
    if (world.bug.tellsRevoked()) {
      listener().onPartitionsRevoked(leaving);
    }
    flush();
    if (!fenced && !commitFailed && broker.takesAllMetadata() && !world.exactlyOnce) {
      leaving.forEach(partition -> world.oracle.revoked(process, partition));
    }
    forget(leaving);
    leaving.forEach(partition -> broker.release(this, partition));
    membership.goesOn();
  }

  private void forget(Collection<TopicPartition> gone) {
    gone.forEach(partition -> world.oracle.gone(process, partition));
    gone.forEach(owned::remove);
    gone.forEach(paused::remove);
    positions.forget(gone);
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

  /** Before its close. */
  void ending() {
    commitFailed = false;
  }

  /** After its close. */
  void leave() {
    if (isMember() && !commitFailed && broker.takesAllMetadata() && !world.exactlyOnce) {
      owned.forEach(partition -> world.oracle.revoked(process, partition));
    }
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
    TopicPartition wentBackIn = positions.wentBackIn();
    if (wentBackIn != null) {
      room = SimWorld.MAX_POLL;
      order.remove(wentBackIn);
      order.add(0, wentBackIn);
    }
    for (TopicPartition partition : order) {
      SimLog log = broker.log(partition);
      SimPositions.Position from = positions.of(partition);
      if (paused.contains(partition) || from == null || from.offset() >= log.end) {
        continue;
      }
      long position = from.offset();
      Optional<Integer> epoch = from.epoch();
      List<ConsumerRecord<byte[], byte[]>> batch = new ArrayList<>();
      for (Map.Entry<Long, SimLog.Entry> entry : log.entries.tailMap(position, true).entrySet()) {
        if (room == 0) {
          break;
        }
        room--;
        if (batch.isEmpty()) {
          world.oracle.moves.polls(process, partition, entry.getKey());
        }
        position = entry.getKey() + 1;
        epoch = Optional.of(entry.getValue().epoch());
        process.delivered(partition, entry.getKey(), entry.getValue());
        if (world.bug.delivers(entry.getKey())) {
          batch.add(record(partition, entry.getKey(), entry.getValue()));
        }
      }
      if (log.entries.tailMap(position, true).isEmpty() && world.random.nextBoolean()) {
        position = log.end; // Markers at the end.
        epoch = Optional.of(log.epoch());
      }
      if (position > from.offset()) {
        if (batch.isEmpty()) {
          world.oracle.moves.polls(process, partition, position);
        }
        world.oracle.flow.fetched(process, partition);
        positions.set(partition, position, epoch);
        next.put(partition, new OffsetAndMetadata(position, epoch, ""));
        if (!batch.isEmpty()) {
          records.put(partition, batch);
        }
      }
    }
    world.oracle.flow.polled(process, records.values().stream().mapToInt(List::size).sum());
    return new ConsumerRecords<>(records, next);
  }

  private ConsumerRecord<byte[], byte[]> record(
      TopicPartition partition, long offset, SimLog.Entry entry) {
    byte[] bytes = world.bug.key(entry.key().isEmpty() ? null : bytes(entry.key()), offset);
    byte[] value = bytes(entry.key() + '/' + entry.life());
    Headers headers = new RecordHeaders();
    if (entry.forOthers()) {
      new RedriveMark("another", 1).stamp(partition.topic(), bytes, value, headers);
    }
    return new ConsumerRecord<>(
        partition.topic(),
        partition.partition(),
        offset,
        entry.millis(),
        TimestampType.CREATE_TIME,
        bytes == null ? -1 : bytes.length,
        value.length,
        bytes,
        value,
        headers,
        Optional.of(world.bug.epoch(entry.epoch())));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public synchronized void seek(TopicPartition partition, long offset) {
    if (!owned.contains(partition)) {
      throw new IllegalStateException("No current assignment for partition " + partition);
    }
    process.seeks(partition, offset);
    if (world.bug.goesBack() || !process.mayRewind(partition)) {
      positions.set(partition, world.bug.seeks(offset), Optional.empty());
    }
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
    return positions.lag(partition);
  }

  // Commits.

  @Override
  public synchronized void commitAsync(
      Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
    Map<TopicPartition, OffsetAndMetadata> made = world.bug.commits(this, offsets);
    requests.add(new Request(made, world.oracle.commits.made(process, made), callback));
  }

  /** The oldest request reaches the broker; the answer comes in a later poll. */
  void arriveNext() {
    arrive(requests.remove());
  }

  private void arrive(Request request) {
    Exception failure = applied(request.offsets(), request.commits());
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
    Exception failure = applied(made, world.oracle.commits.made(process, made));
    process.savedForLeave(made.keySet());
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

  private @Nullable Exception applied(
      Map<TopicPartition, OffsetAndMetadata> offsets,
      Map<TopicPartition, SimBroker.Commit> commits) {
    if (!isMember()) {
      return new CommitFailedException("not a member any more");
    }
    if (!broker.takesMetadata(offsets)) {
      return new OffsetMetadataTooLarge("too much");
    }
    boolean refused = world.chaos && world.oneIn(10);
    if (!refused) {
      world.oracle.commits.applied(process, commits);
      broker.commit(commits);
    }
    boolean lost = world.chaos && world.oneIn(10);
    return refused || lost ? new RetriableCommitFailedException("no answer") : null;
  }

  @Override
  public synchronized ConsumerGroupMetadata groupMetadata() {
    return membership.metadata();
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndMetadata> committed(
      Set<TopicPartition> partitions, Duration timeout) {
    throwIfWoken();
    BooleanSupplier isStable =
        () ->
            partitions.stream().noneMatch(broker.coordinator::isPending)
                || !world.bug.asksForStableOffsets();
    process.awaitBroker(isStable, timeout);
    if (!isStable.getAsBoolean()) {
      throw new TimeoutException("a transaction is about to change them");
    }
    if (world.chaos && world.oneIn(20)) {
      partitions.forEach(partition -> world.oracle.couldNotReadBack(process, partition));
      throw new TimeoutException("no coordinator");
    }
    Map<TopicPartition, OffsetAndMetadata> found = new HashMap<>();
    for (TopicPartition partition : partitions) {
      SimBroker.Commit committed =
          inRebalance || world.bug.findsLastCommit()
              ? broker.committed.get(partition)
              : broker.before.get(partition);
      found.put(partition, committed == null ? null : world.bug.readsBack(committed.said()));
      world.oracle.outputs.found(process, partition);
    }
    return found;
  }

  @Override
  public synchronized Map<TopicPartition, Long> beginningOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return offsets(partitions, partition -> broker.log(partition).begin);
  }

  @Override
  public synchronized Map<TopicPartition, Long> endOffsets(
      Collection<TopicPartition> partitions, Duration timeout) {
    return offsets(partitions, partition -> broker.log(partition).end);
  }

  @Override
  public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
      Map<TopicPartition, Long> times, Duration timeout) {
    Map<TopicPartition, OffsetAndTimestamp> found = new HashMap<>();
    offsets(times.keySet(), partition -> broker.log(partition).firstSince(times.get(partition)))
        .forEach(
            (partition, offset) -> {
              boolean has = offset < broker.log(partition).end;
              found.put(
                  partition,
                  has ? new OffsetAndTimestamp(offset, timeOf(partition, offset)) : null);
            });
    return found;
  }

  private long timeOf(TopicPartition partition, long offset) {
    return broker.log(partition).entries.get(offset).millis();
  }

  private Map<TopicPartition, Long> offsets(
      Collection<TopicPartition> partitions, Function<TopicPartition, Long> offset) {
    throwIfWoken();
    if (world.chaos && world.oneIn(20)) {
      process.seekFails();
      throw new TimeoutException("no leader");
    }
    Map<TopicPartition, Long> found = new HashMap<>();
    partitions.forEach(partition -> found.put(partition, offset.apply(partition)));
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
