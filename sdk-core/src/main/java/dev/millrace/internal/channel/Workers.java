package dev.millrace.internal.channel;

import java.time.Duration;
import java.util.List;

/** Who works on ready lanes. Any thread may call. */
public interface Workers {

  /** Has a lane worked on, if one is ready and a permit is free. */
  void wakeOne();

  /** Returns how many permits are used. */
  int busy();

  /** Returns whether the thread is one of the workers. */
  boolean isWorker(Thread thread);

  /** Lets workers end after the delivery they are on; those that sleep end at once. */
  void stop();

  /** Interrupts the handlers that still run in a worker. */
  void interrupt();

  /**
   * Waits for the threads to end, after {@link #stop()}.
   *
   * @return the threads that had not ended in time
   */
  List<Thread> awaitEnd(Duration timeout);
}
