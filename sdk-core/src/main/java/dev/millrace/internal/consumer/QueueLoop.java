package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.command.CommandQueue;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The poll thread's work for a queue: take a few records, hold their locks until the last of them
 * has ended, again. The sole caller of the Kafka client from its first poll to its close. It never
 * runs a handler.
 */
final class QueueLoop {
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long LONGEST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** A renewal is answered within milliseconds, and until then no end can be told. */
  private static final long RENEWAL_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  /** For the locks of a fetch under way to be given back. */
  private static final Duration PAUSE_WAIT = Duration.ofSeconds(5);

  private final EngineClock clock;
  private final CommandQueue commands;
  private final StopRequest stop;
  private final Assignment assignment;
  private final HandlerWatchdog watchdog;
  private final InFlight inFlight;
  private final PollThreadSignal signal;
  private final QueueClient client;
  private final RecordLocks locks;
  private final QueueIntake intake;
  private final Runnable whenNoMoreComes;
  private final long settleIntervalNanos;
  private long settleNanos;
  private volatile @Nullable Instant pausedSince;

  /**
   * @param whenNoMoreComes run while records are held: none is added to them
   * @param settleInterval how long an end may wait for later ones before the brokers are told
   */
  QueueLoop(
      EngineClock clock,
      CommandQueue commands,
      StopRequest stop,
      Assignment assignment,
      HandlerWatchdog watchdog,
      InFlight inFlight,
      PollThreadSignal signal,
      QueueClient client,
      RecordLocks locks,
      QueueIntake intake,
      Runnable whenNoMoreComes,
      Duration settleInterval) {
    this.clock = clock;
    this.commands = commands;
    this.stop = stop;
    this.assignment = assignment;
    this.watchdog = watchdog;
    this.inFlight = inFlight;
    this.signal = signal;
    this.client = client;
    this.locks = locks;
    this.intake = intake;
    this.whenNoMoreComes = whenNoMoreComes;
    this.settleIntervalNanos = settleInterval.toNanos();
    this.settleNanos = clock.nanos();
  }

  /** One turn; takes about 100 ms when nothing comes. */
  void turn() {
    commands.runNext();
    watchdog.lookIfDue(clock.nanos());
    if (!locks.isEmpty()) {
      hold(this::hasOther);
      return;
    }
    assignment.remove(assignment.names());
    if (pausedSince == null) {
      intake.handOver(client.poll(POLL));
    } else {
      client.close(PAUSE_WAIT);
      signal.await(this::hasOther, this::hasOther, clock.nanos() + LONGEST_WAIT_NANOS);
    }
  }

  /** Takes no more: the group is left as soon as nothing is held. */
  void pause(Instant now) {
    pausedSince = pausedSince == null ? now : pausedSince;
  }

  void resume() {
    pausedSince = null;
  }

  /** Any thread. */
  Optional<Instant> pausedSince() {
    return Optional.ofNullable(pausedSince);
  }

  Map<PauseCause, Instant> pauses() {
    return pausedSince().map(since -> Map.of(PauseCause.USER, since)).orElse(Map.of());
  }

  /** Another thread's wish, or the end; workers ask too. */
  private boolean hasOther() {
    return !commands.isEmpty() || stop.isRequested();
  }

  /**
   * Waits a little for ends, and does meanwhile what is due to the locks.
   *
   * @param other what ends the wait as well
   */
  void hold(BooleanSupplier other) {
    whenNoMoreComes.run();
    if (locks.isRenewing()) {
      awaitRenewal(other);
      return;
    }
    long now = clock.nanos();
    if (now - locks.renewNanos() >= 0) {
      locks.renew();
      return;
    }
    if (now - settleNanos >= 0) {
      settle();
    }
    long until = earliest(now + LONGEST_WAIT_NANOS, settleNanos, locks.renewNanos());
    signal.await(
        () -> locks.haveAllEnded() || other.getAsBoolean(),
        () -> inFlight.records() == 0 || other.getAsBoolean(),
        until);
    if (locks.haveAllEnded()) {
      locks.settle(); // The next poll sends it.
    }
  }

  /** Tells the brokers now of what has ended. */
  void settle() {
    settleNanos = clock.nanos() + settleIntervalNanos;
    if (!locks.isEmpty()) {
      locks.settle();
      client.send();
    }
  }

  private void awaitRenewal(BooleanSupplier other) {
    if (locks.isRenewalAnswered()) {
      if (!locks.isEmpty()) { // Else the client would begin to fetch.
        intake.handOver(client.poll(Duration.ZERO));
      }
      locks.renewed();
    } else {
      signal.await(other, () -> false, clock.nanos() + RENEWAL_WAIT_NANOS);
    }
  }

  private static long earliest(long first, long second, long third) {
    long earlier = second - first < 0 ? second : first;
    return third - earlier < 0 ? third : earlier;
  }
}
