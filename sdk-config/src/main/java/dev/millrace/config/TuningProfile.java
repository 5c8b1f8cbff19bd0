package dev.millrace.config;

/**
 * A documented starting point for the client's own settings (linger, batch, compression, fetch
 * sizes). A single setting under {@code properties} always wins over the profile.
 */
public enum TuningProfile {
  /** A compromise for most services. The default. */
  BALANCED,
  /** Large batches and fetches, compressed: most records per second, some milliseconds later. */
  THROUGHPUT,
  /** No waiting for company: each record leaves and arrives as soon as it can. */
  LATENCY,
  /** Long delivery and request time-outs: outlive a slow or restarting broker. */
  DURABILITY
}
