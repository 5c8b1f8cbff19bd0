package dev.millrace.config;

import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the steps found wrong so far. The same problem found twice counts once. */
final class Problems {
  /** Keeps time, memory and the message small however broken a file is. */
  private static final int MOST = 500;

  private final List<String> sources;
  private final Set<ConfigProblem> found = new LinkedHashSet<>();
  private final Set<SourceLocation> locations = new HashSet<>();

  Problems(List<String> sources) {
    this.sources = List.copyOf(sources);
  }

  void add(Place place, String message, @Nullable String hint) {
    add(new ConfigProblem(place.location(), place.path(), message, hint));
  }

  void add(SourceLocation location, String message, @Nullable String hint) {
    add(new ConfigProblem(location, "", message, hint));
  }

  private void add(ConfigProblem problem) {
    if (!full()) {
      found.add(problem);
    }
    locations.add(problem.location());
  }

  /** Whether further problems are no longer kept, so that looking for hints is wasted. */
  boolean full() {
    return found.size() >= MOST;
  }

  /** Whether nothing is known to be wrong at this place. */
  boolean noneAt(Place place) {
    return !locations.contains(place.location());
  }

  void throwIfAny() {
    if (!found.isEmpty()) {
      throw exception();
    }
  }

  ConfigException exception() {
    return new ConfigException(headline(), inOrder());
  }

  private String headline() {
    int count = found.size();
    String number =
        full() ? MOST + " or more problems" : count + (count == 1 ? " problem" : " problems");
    return number + " in " + String.join(", ", sources);
  }

  private List<ConfigProblem> inOrder() {
    return found.stream()
        .sorted(
            Comparator.<ConfigProblem>comparingInt(p -> sources.indexOf(p.location().source()))
                .thenComparingInt(p -> p.location().line())
                .thenComparingInt(p -> p.location().column())
                .thenComparing(ConfigProblem::path)
                .thenComparing(ConfigProblem::message))
        .toList();
  }
}
