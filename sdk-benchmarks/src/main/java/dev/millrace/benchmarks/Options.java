package dev.millrace.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What the command line asks for.
 *
 * @param workloads in the order of {@code workloads.yaml}
 * @param rounds how often each is run
 * @param minShare the least median share of the limit, in percent, that Millrace may have
 * @param jvmOptions for the contenders' JVMs
 */
record Options(List<Workload> workloads, int rounds, double minShare, List<String> jvmOptions) {

  private record Catalogue(
      Map<String, Object> defaults, Map<String, Map<String, Object>> workloads) {}

  Options {
    workloads = List.copyOf(workloads);
    jvmOptions = List.copyOf(jvmOptions);
  }

  /**
   * Reads arguments, which may come as one text: {@code workload=W1,W2}, names or the beginnings of
   * names; {@code rounds=}; {@code min-share=}; {@code contenders=} with commas; any other field of
   * a workload; and options of the contenders' JVMs, which begin with a dash.
   *
   * @throws IllegalArgumentException for one that has no meaning
   */
  static Options parse(String[] arguments) throws IOException {
    Map<String, Object> overrides = new HashMap<>();
    List<String> jvmOptions = new ArrayList<>();
    for (String argument : String.join(" ", arguments).split("\\s+", -1)) {
      int equals = argument.indexOf('=');
      if (argument.startsWith("-")) {
        jvmOptions.add(argument);
      } else if (equals > 0) {
        overrides.put(argument.substring(0, equals), argument.substring(equals + 1));
      } else if (!argument.isEmpty()) {
        throw new IllegalArgumentException("'" + argument + "' is not name=value");
      }
    }
    String wanted = text(overrides, "workload", "W");
    int rounds = Integer.parseInt(text(overrides, "rounds", "3"));
    double minShare = Double.parseDouble(text(overrides, "min-share", "0"));
    return new Options(workloads(wanted, overrides), rounds, minShare, jvmOptions);
  }

  private static String text(Map<String, Object> overrides, String name, String otherwise) {
    Object value = overrides.remove(name);
    return value == null ? otherwise : value.toString();
  }

  private static List<Workload> workloads(String wanted, Map<String, Object> overrides)
      throws IOException {
    overrides.computeIfPresent(
        "contenders", (name, list) -> List.of(list.toString().split(",", -1)));
    Catalogue catalogue = catalogue();
    Set<String> names = names(wanted, catalogue.workloads().keySet());
    List<Workload> workloads = new ArrayList<>();
    catalogue
        .workloads()
        .forEach(
            (name, own) -> {
              if (names.contains(name)) {
                Map<String, Object> fields = new HashMap<>(catalogue.defaults());
                fields.putAll(own);
                fields.putAll(overrides);
                fields.put("name", name);
                workloads.add(Json.MAPPER.convertValue(fields, Workload.class));
              }
            });
    return workloads;
  }

  private static Set<String> names(String wanted, Set<String> all) {
    Set<String> names = new HashSet<>();
    for (String one : wanted.split(",", -1)) {
      List<String> found =
          all.contains(one)
              ? List.of(one)
              : all.stream().filter(name -> name.startsWith(one)).toList();
      if (found.isEmpty()) {
        throw new IllegalArgumentException(
            "No workload begins with '%s'; there are %s".formatted(one, all));
      }
      names.addAll(found);
    }
    return names;
  }

  private static Catalogue catalogue() throws IOException {
    try (InputStream yaml = Options.class.getResourceAsStream("/workloads.yaml")) {
      return Json.YAML.readValue(Objects.requireNonNull(yaml), Catalogue.class);
    }
  }
}
