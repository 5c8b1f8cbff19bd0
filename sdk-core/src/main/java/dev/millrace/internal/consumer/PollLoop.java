package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.command.CommandQueue;
import dev.millrace.internal.command.WakeablePoll;
import dev.millrace.internal.listener.IdleWatch;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;

/**
 * The poll thread's work: do what was asked, commit, poll, hand over, again. The sole caller of the
 * Kafka consumer from its first poll to its close. It never runs a handler and, but for partitions
 * that leave, never waits for one.
 */
final class PollLoop {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** How long a full or tight channel is waited for before partitions are paused. */
  private static final long ROOM_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final EngineClock clock;

  /** While a partition is held for its share, which may be used up within milliseconds. */
  private static final long HOLDING_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final CommandQueue commands;
  private final Assignment assignment;
  private final Commits commits;
  private final RunAhead runAhead;
  private final FairShare shares;
  private final LagGauge lag;
  private final HandlerWatchdog watchdog;
  private final FlowControl flow;
  private final InFlight inFlight;
  private final PollThreadSignal signal;
  private final Clearance clearance;
  private final BooleanSupplier circuitOpen;
  private final IntakeGate gate;
  private final WakeablePoll poll;
  private final Runnable whenHeldBack;
  private final Intake intake;
  private final RetryDelays delays;
  private final LongConsumer keyLooks;
  private final MissingOffsets missingOffsets;
  private final IdleWatch idle;

  /**
   * @param circuitOpen whether nothing is to be taken in, since no handler may start
   * @param whenHeldBack run in each turn that takes less than there may be: the channel stays full,
   *     or a partition has more than its share of it
   * @param keyLooks told of the time in each turn: it may be due to look into the retry topics
   */
  PollLoop(
      EngineClock clock,
      CommandQueue commands,
      Assignment assignment,
      Commits commits,
      RunAhead runAhead,
      FairShare shares,
      LagGauge lag,
      HandlerWatchdog watchdog,
      FlowControl flow,
      InFlight inFlight,
      PollThreadSignal signal,
      Clearance clearance,
      BooleanSupplier circuitOpen,
      IntakeGate gate,
      WakeablePoll poll,
      Runnable whenHeldBack,
      Intake intake,
      RetryDelays delays,
      LongConsumer keyLooks,
      MissingOffsets missingOffsets,
      IdleWatch idle) {
    this.clock = clock;
    this.commands = commands;
    this.assignment = assignment;
    this.commits = commits;
    this.runAhead = runAhead;
    this.shares = shares;
    this.lag = lag;
    this.watchdog = watchdog;
    this.flow = flow;
    this.inFlight = inFlight;
    this.signal = signal;
    this.clearance = clearance;
    this.circuitOpen = circuitOpen;
    this.gate = gate;
    this.poll = poll;
    this.whenHeldBack = whenHeldBack;
    this.intake = intake;
    this.delays = delays;
    this.keyLooks = keyLooks;
    this.missingOffsets = missingOffsets;
    this.idle = idle;
  }

  /** One turn; takes about 100 ms when nothing comes. */
  void turn() {
    commands.runNext();
    long now = clock.nanos();
    commits.commitIfDue(now, inFlight.ended(), assignment.all());
    runAhead.bound(assignment.all());
    keyLooks.accept(now);
    lag.measureIfDue(now, assignment.all());
    watchdog.lookIfDue(now);
    shares.release(assignment.all());
    if (shares.isExceeded(assignment.all())) {
      awaitEase(now);
      shares.hold(assignment.all());
    }
    boolean held = circuitOpen.getAsBoolean();
    gate.circuitOpen(held);
    boolean room = clearance.isPossible() && (hasRoom() || awaitRoom(now));
    if (!room || shares.isHolding()) {
      whenHeldBack.run();
    }
    if (room) {
      gate.open();
      // First what is due: a busy topic must not keep it waiting. It may take the poll's room.
      intake.handOverDue();
      if (hasRoom()) {
        long longest = shares.isHolding() ? HOLDING_POLL_NANOS : POLL_NANOS;
        poll(delays.nanosToNext(Math.min(longest, commits.dueNanos() - now)), held);
      }
    } else {
      // Paused partitions return nothing, but the group sees a live member.
      gate.shut(
          flow.isFullOfResting(inFlight.resting())
              ? PauseCause.RESTING_FULL
              : PauseCause.CHANNEL_FULL);
      intake.handOverDue(); // What is awaited.
      poll(0, held);
    }
  }

  private void poll(long waitNanos, boolean held) {
    Duration wait = Duration.ofNanos(Math.max(0, waitNanos));
    ConsumerRecords<byte[], byte[]> polled = ConsumerRecords.empty();
    try {
      polled = poll.poll(wait, () -> !commands.isEmpty() || commits.hasNews());
      intake.handOver(polled);
    } catch (InvalidOffsetException missing) {
      missingOffsets.resolve(missing);
    }
    boolean busy = !polled.isEmpty() || inFlight.records() > 0 || delays.isHolding();
    idle.turn(held || busy, clock.nanos());
  }

  private boolean hasRoom() {
    return flow.hasRoom(inFlight.inChannel(), inFlight.bytes(), inFlight.resting());
  }

  private boolean awaitRoom(long now) {
    long held = shares.heldRecords();
    long heldBytes = shares.heldBytes();
    BooleanSupplier roomAgain =
        () ->
            flow.hasRoomAgain(
                inFlight.inChannel(), inFlight.bytes(), inFlight.resting(), held, heldBytes);
    await(roomAgain, now);
    return roomAgain.getAsBoolean();
  }

  private void awaitEase(long now) {
    long held = shares.heldRecords();
    long heldBytes = shares.heldBytes();
    await(() -> flow.isEasyAgain(inFlight.inChannel(), inFlight.bytes(), held, heldBytes), now);
  }

  /**
   * A command, or news of a commit, ends the wait too, but not the turn: they must not keep the
   * polls from going on.
   *
   * @param condition asked by workers too
   */
  private void await(BooleanSupplier condition, long now) {
    BooleanSupplier ended =
        () -> condition.getAsBoolean() || !commands.isEmpty() || commits.hasNews();
    signal.await(ended, ended, now + ROOM_WAIT_NANOS);
  }
}
