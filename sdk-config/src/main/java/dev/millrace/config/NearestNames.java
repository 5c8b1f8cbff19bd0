package dev.millrace.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Finds the names that somebody may have meant. Near is what few typing errors apart is: a letter
 * left out, added, replaced, or swapped with its neighbour. Upper case, {@code -} and {@code _} do
 * not count: {@code OrderProducer} is next to {@code order-producer}.
 */
public final class NearestNames {
  private static final int SHORTEST_PREFIX = 4;

  private NearestNames() {}

  /** All names, the nearest first; equally near ones in alphabetical order. */
  public static List<String> sort(String wanted, Collection<String> names) {
    String from = Spelling.folded(wanted);
    return names.stream()
        .map(name -> new Candidate(name, distance(from, Spelling.folded(name))))
        .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
        .map(Candidate::name)
        .toList();
  }

  /** The nearest name, if it is near enough to be what was meant. */
  public static Optional<String> suggest(String wanted, Collection<String> names) {
    return sort(wanted, names.stream().filter(name -> isNear(wanted, name)).toList()).stream()
        .findFirst();
  }

  private static boolean isNear(String wanted, String name) {
    String from = Spelling.folded(wanted);
    String to = Spelling.folded(name);
    if (from.length() >= SHORTEST_PREFIX && to.startsWith(from)) {
      return true;
    }
    int allowed = Math.max(1, from.length() / 3);
    return Math.abs(from.length() - to.length()) <= allowed
        && !from.isEmpty()
        && distance(from, to) <= allowed;
  }

  /** Damerau-Levenshtein distance (optimal string alignment), with three rows of the matrix. */
  private static int distance(String from, String to) {
    int[] beforePrevious = new int[to.length() + 1];
    int[] previous = new int[to.length() + 1];
    int[] current = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      current[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = previous[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
        if (i > 1
            && j > 1
            && from.charAt(i - 1) == to.charAt(j - 2)
            && from.charAt(i - 2) == to.charAt(j - 1)) {
          current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
        }
      }
      int[] free = beforePrevious;
      beforePrevious = previous;
      previous = current;
      current = free;
    }
    return previous[to.length()];
  }

  private record Candidate(String name, int distance) {}
}
