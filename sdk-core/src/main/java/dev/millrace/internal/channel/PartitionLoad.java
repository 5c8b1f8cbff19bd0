package dev.millrace.internal.channel;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What one partition has in the channel. Only the poll thread adds to it and reads it; records end
 * on any thread.
 */
public final class PartitionLoad {
  private final AtomicLong endedRecords = new AtomicLong();
  private final AtomicLong endedBytes = new AtomicLong();
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

  /** Poll thread. Returns how many records are queued, running or parked. */
  public long records() {
    return takenRecords - endedRecords.get();
  }

  /** Poll thread. Returns their bytes. */
  public long bytes() {
    return takenBytes - endedBytes.get();
  }
}
