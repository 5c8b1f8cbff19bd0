package dev.millrace.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Prints each round as it ends and the medians of a workload, and remembers what was wrong. */
final class Report {
  private static final String MILLRACE = "millrace";

  private final PrintStream out;
  private final List<String> failures = new ArrayList<>();

  /** By contender, of the valid runs of the present workload. */
  private final Map<String, List<RunResult>> valid = new LinkedHashMap<>();

  private String workload = "";

  Report(PrintStream out) {
    this.out = out;
  }

  void begin(Workload next) {
    workload = next.name();
    valid.clear();
    out.println();
    out.println(next);
  }

  /**
   * Relates all rates to that of the first contender in this round, and Millrace's to all others.
   */
  void round(int round, Map<String, RunResult> results) {
    String first = results.keySet().iterator().next();
    results.forEach(
        (contender, result) -> {
          if (!result.isValid()) {
            failures.add("%s, round %d, %s: INVALID".formatted(workload, round, contender));
            out.printf(
                "  round %-2d %-18s INVALID: %s%n",
                round, contender, String.join("; ", result.problems()));
            return;
          }
          RunResult shown = result;
          for (String other : contender.equals(MILLRACE) ? results.keySet() : Set.of(first)) {
            Double base = rate(results.get(other));
            Double rate = rate(result);
            boolean isItself = other.equals(contender) && !other.equals(first);
            if (base != null && rate != null && !isItself) {
              shown = shown.withFirst("x " + other, rate / base);
            }
          }
          valid.computeIfAbsent(contender, name -> new ArrayList<>()).add(shown);
          out.printf("  round %-2d %-18s %s%n", round, contender, line(shown.figures()));
        });
  }

  private static @Nullable Double rate(@Nullable RunResult result) {
    return result == null || !result.isValid() ? null : result.figures().get(Throughput.RATE);
  }

  /**
   * Prints the medians.
   *
   * @param minShare the least share of the limit, in percent, that Millrace may have
   */
  void end(double minShare) {
    valid.forEach(
        (contender, results) -> {
          Map<String, Double> medians = medians(results);
          out.printf("  median   %-18s %s%n", contender, line(medians));
          Double share = medians.get(Throughput.SHARE);
          if (contender.equals(MILLRACE) && share != null && share < minShare) {
            failures.add(
                "%s: Millrace has %.1f %% of the limit, less than %.1f %%"
                    .formatted(workload, share, minShare));
          }
        });
  }

  /** Returns what was wrong in all workloads. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  private static Map<String, Double> medians(List<RunResult> results) {
    Map<String, List<Double>> values = new LinkedHashMap<>();
    for (RunResult result : results) {
      result
          .figures()
          .forEach(
              (name, value) -> values.computeIfAbsent(name, n -> new ArrayList<>()).add(value));
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    values.forEach((name, all) -> medians.put(name, median(all)));
    return medians;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  private static String line(Map<String, Double> figures) {
    return figures.entrySet().stream()
        .map(figure -> number(figure.getValue()) + " " + figure.getKey())
        .collect(Collectors.joining(" | "));
  }

  private static String number(double value) {
    String format = Math.abs(value) >= 100 ? "%,.0f" : "%.3g";
    return String.format(Locale.ROOT, value == 0 ? "%.0f" : format, value);
  }
}
