package dev.millrace.internal.channel;

/** What a worker does with the head of a lane. Called by many workers, for one lane by one. */
@FunctionalInterface
public interface DeliveryProcessor {

  /** Where a delivery stands when its worker is done with it for now. */
  enum Progress {
    /** It has ended: the lane goes on with the next one. */
    ENDED,

    /**
     * Its lane is parked, and the processor has seen to it that {@link LaneScheduler#resume} or
     * {@link LaneScheduler#finish} is called for it later.
     */
    PARKED,

    /**
     * As {@link #PARKED}, and its handler goes on without the worker: the permit stays used until
     * {@link LaneScheduler#giveBackPermit}.
     */
    RUNNING
  }

  /** Works on one delivery. It is not to be touched any more once its lane is parked. */
  Progress process(Delivery delivery);
}
