package dev.millrace.internal.channel;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What is held of one partition. Only the poll thread adds to it and reads it; records end on any
 * thread.
 */
public final class PartitionLoad {
  private final AtomicLong endedRecords = new AtomicLong();
  private final AtomicLong endedBytes = new AtomicLong();
  private final AtomicLong resting = new AtomicLong();
  private long takenRecords;
  private long takenBytes;

  /** Poll thread. */
  void taken(int bytes) {
    takenRecords++;
    takenBytes += bytes;
  }

  /** Any thread. */
  void ended(int bytes) {
    endedRecords.incrementAndGet();
    endedBytes.addAndGet(bytes);
  }

  /** Any thread: so many more rest, or fewer. */
  void rest(int change) {
    resting.addAndGet(change);
  }

  /** Poll thread. Returns how many records take room in the channel; see {@link InFlight}. */
  public long inChannel() {
    return Math.max(0, records() - resting.get());
  }

  /** Poll thread. Returns how many records are queued, running or parked. */
  public long records() {
    return takenRecords - endedRecords.get();
  }

  /** Poll thread. Returns their bytes. */
  public long bytes() {
    return takenBytes - endedBytes.get();
  }
}
