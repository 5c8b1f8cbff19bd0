package dev.millrace.config;

/** The promise of a producer or a consumer, in one word. */
public enum DeliverySemantics {
  /** Never twice: what was in flight at a crash is lost, and counted. */
  AT_MOST_ONCE,
  /** Never lost: what was in flight at a crash may be handled again. The default. */
  AT_LEAST_ONCE,
  /** Each input has its effect inside Kafka once. */
  EXACTLY_ONCE
}
