package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.guarantee.Result.Status;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What became of several guarantees.
 *
 * @param results one each, in the order they were asked for
 */
public record Report(List<Result> results) {

  /** Copies the results. */
  public Report {
    results = List.copyOf(results);
  }

  /** Returns the result of a guarantee by its name; empty if it was not checked. */
  public Optional<Result> of(String guarantee) {
    return results.stream().filter(result -> result.guarantee().equals(guarantee)).findFirst();
  }

  /** Returns the names of the guarantees with this status. */
  public List<String> named(Status status) {
    return results.stream().filter(r -> r.status() == status).map(Result::guarantee).toList();
  }

  /** Returns whether every guarantee holds; one that is inconclusive does not. */
  public boolean holds() {
    return results.stream().allMatch(result -> result.status() == Status.HOLDS);
  }

  /**
   * Does nothing when every guarantee holds.
   *
   * @throws AssertionError with the whole report if one is violated or inconclusive
   */
  public void assertHolds() {
    if (!holds()) {
      throw new AssertionError(toString());
    }
  }

  /** Returns a table of all, and below it the first findings of each. */
  @Override
  public String toString() {
    int width = results.stream().mapToInt(r -> r.guarantee().length()).max().orElse(0);
    String table =
        results.stream()
            .map(r -> ("%-" + (width + 2) + "s%s").formatted(r.guarantee(), r.summary()))
            .collect(Collectors.joining("\n"));
    String details =
        results.stream()
            .filter(result -> result.status() == Status.VIOLATED)
            .map(Result::toString)
            .collect(Collectors.joining("\n\n"));
    return details.isEmpty() ? table : table + "\n\n" + details;
  }
}
