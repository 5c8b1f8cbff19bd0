package dev.millrace.internal.consumer;

import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.time.EngineClock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The poll thread's work: do what was asked, commit, poll, hand over, again. The sole caller of the
 * Kafka consumer from its first poll to its close. It never runs a handler and, but for partitions
 * that leave, never waits for one.
 */
final class PollLoop {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** How long a full channel is waited for before the partitions are paused. */
  private static final long ROOM_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private final EngineClock clock;
  private final CommandQueue commands;
  private final Assignment assignment;
  private final OffsetCommitter committer;
  private final RunAhead runAhead;
  private final LagGauge lag;
  private final FlowControl flow;
  private final InFlight inFlight;
  private final PollThreadSignal signal;
  private final IntakeGate gate;
  private final WakeablePoll poll;
  private final Intake intake;

  PollLoop(
      EngineClock clock,
      CommandQueue commands,
      Assignment assignment,
      OffsetCommitter committer,
      RunAhead runAhead,
      LagGauge lag,
      FlowControl flow,
      InFlight inFlight,
      PollThreadSignal signal,
      IntakeGate gate,
      WakeablePoll poll,
      Intake intake) {
    this.clock = clock;
    this.commands = commands;
    this.assignment = assignment;
    this.committer = committer;
    this.runAhead = runAhead;
    this.lag = lag;
    this.flow = flow;
    this.inFlight = inFlight;
    this.signal = signal;
    this.gate = gate;
    this.poll = poll;
    this.intake = intake;
  }

  /** One turn; takes about 100 ms when nothing comes. */
  void turn() {
    commands.runNext();
    long now = clock.nanos();
    committer.commitIfDue(now, assignment.all());
    runAhead.bound(assignment.all());
    lag.measureIfDue(now, assignment.all());
    if (flow.hasRoom(inFlight.records(), inFlight.bytes()) || awaitRoom(now)) {
      gate.open();
      poll(Math.min(POLL_NANOS, committer.dueNanos() - now));
    } else {
      // Paused partitions return nothing, but the group sees a live member.
      gate.shut();
      poll(0);
    }
  }

  private void poll(long waitNanos) {
    Duration wait = Duration.ofNanos(Math.max(0, waitNanos));
    intake.handOver(poll.poll(wait, () -> !commands.isEmpty()));
  }

  /** A command ends the wait too, but not the turn: it must not keep the polls from going on. */
  private boolean awaitRoom(long now) {
    signal.await(this::isAwaited, this::isAwaited, now + ROOM_WAIT_NANOS);
    return hasRoomAgain();
  }

  /** Any thread. */
  private boolean isAwaited() {
    return hasRoomAgain() || !commands.isEmpty();
  }

  private boolean hasRoomAgain() {
    return flow.hasRoomAgain(inFlight.records(), inFlight.bytes());
  }
}
