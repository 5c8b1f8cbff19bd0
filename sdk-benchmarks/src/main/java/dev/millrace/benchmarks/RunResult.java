package dev.millrace.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one run of one contender has shown.
 *
 * @param figures by name with unit, in the order to be shown
 * @param problems why it does not count; empty when it does
 */
record RunResult(Map<String, Double> figures, List<String> problems) {
  RunResult {
    figures = Collections.unmodifiableMap(new LinkedHashMap<>(figures));
    problems = problems.stream().filter(problem -> !problem.isEmpty()).toList();
  }

  static RunResult invalid(String problem) {
    return new RunResult(Map.of(), List.of(problem));
  }

  boolean isValid() {
    return problems.isEmpty();
  }

  RunResult with(String problem) {
    List<String> all = new ArrayList<>(problems);
    all.add(problem);
    return new RunResult(figures, all);
  }

  RunResult withFirst(String name, double figure) {
    Map<String, Double> all = new LinkedHashMap<>();
    all.put(name, figure);
    all.putAll(figures);
    return new RunResult(all, problems);
  }
}
