package dev.millrace.producer;

import java.time.Instant;

/**
 * What a named producer is doing, at about one moment: the numbers are read one after the other.
 *
 * @param name its name in the configuration
 * @param instances how many Kafka clients it has
 * @param openHandles how many handles have been given out and not closed
 * @param since since when it is {@linkplain #inUse in use}, or idle
 * @param inFlightRecords records sent and neither acknowledged nor failed
 * @param inFlightBytes the bytes of their keys, values and headers
 * @param waiting threads that wait for room, since no more may be on its way
 */
public record ProducerStatistics(
    String name,
    int instances,
    int openHandles,
    Instant since,
    long inFlightRecords,
    long inFlightBytes,
    int waiting) {

  /** Returns whether somebody has a handle on it; else it is idle. */
  public boolean inUse() {
    return openHandles > 0;
  }
}
