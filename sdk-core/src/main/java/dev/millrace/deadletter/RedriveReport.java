package dev.millrace.deadletter;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What came, or of a dry run would come, of a redrive.
 *
 * @param dryRun whether nothing was redriven, and this is what would be
 * @param redriven dead letters that are back in their topic, or after a dry run would be
 * @param quarantined dead letters that pass the filter and stay, since they have come back too
 *     often
 * @param foreign dead letters that pass the filter and stay, since this consumer does not read the
 *     topic that they say they came from, or it is not there any more
 * @param incomplete dead letters that pass the filter and stay, since a part of their record was
 *     left out for want of room, and the record does not stand where it came from any more
 * @param tooLarge dead letters that pass the filter and stay, since with the headers of a redrive
 *     their topic has no room for them, compressed by gzip either
 * @param compacted dead letters that pass the filter and stay, since their topic is compacted: what
 *     comes back would be the last of its key, and newer ones be deleted for all groups
 * @param byCause those of {@code redriven} by the class name of their failure, the most frequent
 *     first
 */
public record RedriveReport(
    boolean dryRun,
    long redriven,
    long quarantined,
    long foreign,
    long incomplete,
    long tooLarge,
    long compacted,
    Map<String, Long> byCause) {

  public RedriveReport {
    byCause =
        Collections.unmodifiableMap(
            byCause.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .collect(
                    Collectors.toMap(
                        Map.Entry::getKey,
                        Map.Entry::getValue,
                        (one, other) -> one,
                        LinkedHashMap::new)));
  }

  /** Returns it as a text with a line for each cause. */
  @Override
  public String toString() {
    return (dryRun ? "dry run: %d would be redriven" : "%d redriven").formatted(redriven)
        + ", %d in quarantine, %d from topics that are not read, %d incomplete, %d too large, %d of compacted topics"
            .formatted(quarantined, foreign, incomplete, tooLarge, compacted)
        + byCause.entrySet().stream()
            .map(cause -> "\n  %8d  %s".formatted(cause.getValue(), cause.getKey()))
            .collect(Collectors.joining());
  }
}
