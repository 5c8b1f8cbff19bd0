package dev.millrace.config;

/** Who gets a record. */
public enum ConsumerMode {
  /**
   * The consumers of a group share the partitions: each has one owner, which commits how far it has
   * come. The default.
   */
  GROUP,
  /**
   * Each process reads all partitions, in a group of its own: {@code group-id}, a dot and its
   * {@code group-instance-id}, or without one something unique, so that it begins anew with each
   * start.
   */
  BROADCAST,
  /**
   * Each record goes to whichever consumer is free, as from a queue: a share group (KIP-932), which
   * needs Kafka 4.2. No order is kept, and there may be more consumers than partitions.
   */
  QUEUE
}
