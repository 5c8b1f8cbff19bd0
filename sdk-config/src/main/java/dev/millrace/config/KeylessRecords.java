package dev.millrace.config;

/** What order records without a key have under {@link Ordering#KEY}. */
public enum KeylessRecords {
  /** None: any free permit takes the next one. The default. */
  SPREAD,
  /** Those of one partition are handled one after the other, in offset order, as if of one key. */
  LANE
}
