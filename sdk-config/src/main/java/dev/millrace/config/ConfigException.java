package dev.millrace.config;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A config that cannot be used, with everything that is wrong in it. The message has one line for
 * the count and the sources, and one for each problem.
 */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  @SuppressWarnings("serial") // what List.copyOf returns is serializable, and so are its elements
  private final List<ConfigProblem> problems;

  ConfigException(String headline, List<ConfigProblem> problems) {
    super(
        problems.stream()
            .map(problem -> "\n  " + problem)
            .collect(Collectors.joining("", headline, "")));
    this.problems = List.copyOf(problems);
  }

  /** The problems in the order of the files, and of the lines in each; at least one. */
  public List<ConfigProblem> problems() {
    return problems;
  }
}
