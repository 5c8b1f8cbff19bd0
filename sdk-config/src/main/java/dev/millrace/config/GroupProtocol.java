package dev.millrace.config;

/** By which protocol the members of a consumer group share its partitions. */
public enum GroupProtocol {
  /**
   * One of the members divides the partitions. The default; all brokers have it. A rebalance stops
   * only what moves, unless {@code partition.assignment.strategy} names an eager assignor.
   */
  CLASSIC,
  /**
   * The broker divides them (KIP-848), and a rebalance is no common halt of all members. Needs
   * Kafka 4.0.
   */
  CONSUMER
}
