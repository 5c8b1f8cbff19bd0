package dev.millrace.internal.channel;

import dev.millrace.idempotency.Claim;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A delivery's claim to its message, which outlives its attempts. It belongs to whoever holds the
 * delivery's lane.
 */
public final class Claimed {
  private final Claim claim;
  private @Nullable DeliveryProcessor settling;
  private boolean isDenied;

  public Claimed(Claim claim) {
    this.claim = claim;
  }

  public Claim claim() {
    return claim;
  }

  /** Notes whether an attempt has found that the claim is not good, and nothing else since. */
  public void denied(boolean denied) {
    isDenied = denied;
  }

  /** Returns whether an attempt has found that the claim is not good, and nothing else since. */
  public boolean isDenied() {
    return isDenied;
  }

  /**
   * Has a worker go on by this, with the delivery's ticket as it is now: the attempt has ended, and
   * is not to be repeated for what is left to do.
   */
  public void settleBy(DeliveryProcessor rest) {
    settling = rest;
  }

  /** Returns whether an attempt has ended of which something is left to do. */
  boolean isSettling() {
    return settling != null;
  }

  /** Does what is left of the attempt. Worker, when there is something. */
  DeliveryProcessor.Progress settle(Delivery delivery) {
    DeliveryProcessor rest = Objects.requireNonNull(settling);
    settling = null;
    return rest.process(delivery);
  }
}
