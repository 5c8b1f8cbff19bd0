package dev.millrace.config;

/** The order a consumer keeps between records that it handles concurrently. */
public enum Ordering {
  /** Records of one key are handled one after the other, in offset order. The default of groups. */
  KEY,
  /** Records of one partition are handled one after the other, in offset order. */
  PARTITION,
  /** No order: any free permit takes the next record. All that a queue has. */
  UNORDERED
}
