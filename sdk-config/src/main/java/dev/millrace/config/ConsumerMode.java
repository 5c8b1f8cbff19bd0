package dev.millrace.config;

/** Who gets a record: one consumer of the group, or each process. */
public enum ConsumerMode {
  /**
   * The consumers of a group share the partitions; each record goes to one of them. The default.
   */
  GROUP,
  /**
   * Each process reads all partitions, in a group of its own: {@code group-id}, a dot and its
   * {@code group-instance-id}, or without one something unique, so that it begins anew with each
   * start.
   */
  BROADCAST
}
