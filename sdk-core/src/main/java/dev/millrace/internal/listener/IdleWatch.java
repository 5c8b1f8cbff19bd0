package dev.millrace.internal.listener;

import dev.millrace.internal.time.EngineClock;
import java.time.Duration;

/** Notices when there is nothing to do, and when there is again. Confined to the poll thread. */
public final class IdleWatch {
  private final ListenerCalls listener;
  private final Duration after;
  private long busyNanos;
  private boolean idle;

  public IdleWatch(ListenerCalls listener, Duration after, EngineClock clock) {
    this.listener = listener;
    this.after = after;
    this.busyNanos = clock.nanos();
  }

  /**
   * At each turn of the poll loop.
   *
   * @param busy whether records have been polled or are held
   */
  public void turn(boolean busy, long now) {
    if (busy) {
      busyNanos = now;
      if (idle) {
        idle = false;
        listener.active();
      }
    } else if (!idle && now - busyNanos >= after.toNanos()) {
      idle = true;
      listener.idle(Duration.ofNanos(now - busyNanos));
    }
  }
}
