package dev.millrace.internal.channel;

/**
 * Where it is told what becomes of a delivery whose lane was parked: for each, one of the two is
 * called once. Any thread.
 */
public interface Parking {

  /** What the delivery waited for has come: it is to be worked on again. */
  void resume(Delivery delivery);

  /** The delivery has ended. */
  void finish(Delivery delivery);
}
