package dev.millrace.testing;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.client.ConsumerSettings;
import dev.millrace.internal.consumer.ServiceHooks;
import dev.millrace.internal.consumer.SteppedEngine;
import dev.millrace.internal.delivery.Handling;
import dev.millrace.internal.time.SteppedClock;
import java.time.Duration;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * One life of the service's consumer, from its start to its close or its kill. Time passes only in
 * {@link #advance}, and where a consumer waits for its handlers because partitions leave. One
 * thread.
 */
final class ServiceProcess implements SteppedSignal.Surroundings {
  /** How long the engine waits for room in a full channel, before it polls without waiting. */
  private static final Duration WAIT_FOR_ROOM = Duration.ofMillis(50);

  private final SteppedClock clock;
  private final AttemptLog attempts;
  private final GroupMember member;
  private final SteppedEngine engine;

  <V> ServiceProcess(
      ConsumerDefinition definition,
      ConsumerSettings settings,
      Deserializer<V> deserializer,
      Handling<V> handling,
      ServiceHooks hooks,
      Cluster cluster,
      AttemptLog attempts,
      SteppedClock clock) {
    this.clock = clock;
    this.attempts = attempts;
    this.member = new GroupMember(cluster, settings);
    this.engine =
        new SteppedEngine(
            definition,
            settings.maxPollRecords(),
            member,
            deserializer,
            handling,
            hooks,
            cluster::sendFailed,
            new ClusterRetryLogs(cluster),
            clock,
            this);
  }

  SteppedEngine engine() {
    return engine;
  }

  /** Goes on until nothing can happen any more at this moment. */
  void run() {
    boolean moved = true;
    while (moved && !engine.hasEnded()) {
      moved = attempts.settle();
      engine.turn();
      moved |= member.hasNews();
      while (engine.step()) {
        moved = true;
      }
      moved |= clock.advance(0);
    }
  }

  /** Turns the poll loop as often as its polls would have waited, and does all that falls due. */
  void advance(long nanos) {
    long target = clock.nanos() + nanos;
    run();
    while (clock.nanos() < target) {
      long next = engine.hasEnded() ? target : clock.nanos() + nextPollIn().toNanos();
      clock.advance(Math.min(Math.min(target, next), nextDue()) - clock.nanos());
      run();
    }
  }

  private Duration nextPollIn() {
    return member.lastWait().isZero() ? WAIT_FOR_ROOM : member.lastWait();
  }

  private long nextDue() {
    return clock.nextDueNanos().orElse(Long.MAX_VALUE);
  }

  void rebalance() {
    member.rebalance();
    engine.turn();
  }

  void lose() {
    member.lose();
    engine.turn();
  }

  void close() {
    engine.close();
    attempts.processEnded();
  }

  /** Nothing of it may be called afterwards. */
  void kill() {
    attempts.processEnded();
  }

  @Override
  public long nanos() {
    return clock.nanos();
  }

  /** A channel that is full is not waited for: that would let time pass. */
  @Override
  public boolean step(long deadlineNanos) {
    if (attempts.settle() || engine.step()) {
      return true;
    }
    boolean partitionsLeave = member.isRebalancing() || engine.isStopping();
    if (partitionsLeave) {
      clock.advance(Math.min(deadlineNanos, nextDue()) - clock.nanos());
    }
    return partitionsLeave;
  }
}
