package dev.millrace.internal.channel;

/** What a worker does with the head of a lane. Called by many workers, for one lane by one. */
@FunctionalInterface
public interface DeliveryProcessor {

  /**
   * Works on one delivery.
   *
   * @return true when it has ended; false when the lane is parked, and this processor has seen to
   *     it that {@link LaneScheduler#resume} or {@link LaneScheduler#finish} is called for it later
   */
  boolean process(Delivery delivery);
}
