package dev.millrace.errors;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Some records of a {@code sendAll} were not acknowledged; all others were. */
public final class SendAllException extends MillraceException {
  private static final long serialVersionUID = 1L;

  private final TreeMap<Integer, Throwable> failures;

  /**
   * @param producer the producer's name
   * @param sent how many records there were
   * @param failures by the record's place, from 0; at least one
   */
  public SendAllException(String producer, int sent, SortedMap<Integer, Throwable> failures) {
    super(
        "Producer '%s': %d of %d records were not acknowledged, the first of them at index %d (%s). The others were; send again only those that failures() names."
            .formatted(
                producer,
                failures.size(),
                sent,
                failures.firstKey(),
                failures.get(failures.firstKey())),
        failures.get(failures.firstKey()));
    this.failures = new TreeMap<>(failures);
  }

  /** Returns what Kafka reported of each record that failed, by its place in the list, from 0. */
  public Map<Integer, Throwable> failures() {
    return Map.copyOf(failures);
  }
}
