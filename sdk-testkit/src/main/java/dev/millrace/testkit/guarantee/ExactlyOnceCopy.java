package dev.millrace.testkit.guarantee;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** One record in the sink for each in the source, and nothing else. */
final class ExactlyOnceCopy implements Check {
  private final String source;
  private final String sink;
  private final Function<LogRecord, String> input;
  private final Function<LogRecord, String> output;

  ExactlyOnceCopy(
      String source,
      String sink,
      Function<LogRecord, String> input,
      Function<LogRecord, String> output) {
    this.source = source;
    this.sink = sink;
    this.input = input;
    this.output = output;
  }

  @Override
  public List<Violation> check(Evidence evidence) {
    Map<String, List<LogRecord>> inputs = by(input, known(evidence, source));
    Map<String, List<LogRecord>> outputs = by(output, known(evidence, sink));
    if (inputs.isEmpty()) {
      throw new Inconclusive("a record in topic " + source);
    }
    List<Violation> violations = new ArrayList<>();
    inputs.forEach(
        (identity, in) -> {
          List<LogRecord> out = outputs.getOrDefault(identity, List.of());
          if (in.size() != out.size()) {
            violations.add(violation(identity, in, out));
          }
        });
    outputs.forEach(
        (identity, out) -> {
          if (!inputs.containsKey(identity)) {
            violations.add(violation(identity, List.of(), out));
          }
        });
    return violations;
  }

  private Violation violation(String identity, List<LogRecord> in, List<LogRecord> out) {
    List<Object> witnesses = new ArrayList<>(in);
    witnesses.addAll(out);
    return new Violation(
        identity,
        "%d in %s for %d in %s".formatted(in.size(), sink, in.size(), source),
        out.size() + " in " + sink,
        witnesses);
  }

  private static List<LogRecord> known(Evidence evidence, String topic) {
    List<LogRecord> records = evidence.recordsOf(topic);
    if (records == null) {
      throw new Inconclusive("what topic " + topic + " holds");
    }
    return records;
  }

  private static Map<String, List<LogRecord>> by(
      Function<LogRecord, String> identity, List<LogRecord> records) {
    Map<String, List<LogRecord>> by = new LinkedHashMap<>();
    for (LogRecord record : records) {
      by.computeIfAbsent(identity.apply(record), id -> new ArrayList<>()).add(record);
    }
    return by;
  }
}
