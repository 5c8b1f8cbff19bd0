package dev.millrace.testkit.guarantee;

import java.util.List;

/**
 * One thing that breaks a guarantee.
 *
 * @param guarantee its name
 * @param subject the record, key, partition, offset or process it is about
 * @param expected what should have been
 * @param found what is instead
 * @param witnesses the events with process, thread and time, the commits and the records that show
 *     it, a line each
 */
public record Finding(
    String guarantee, String subject, String expected, String found, List<String> witnesses) {

  /** Copies the witnesses. */
  public Finding {
    witnesses = List.copyOf(witnesses);
  }

  /** Returns it for people, in several lines. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(guarantee).append(": ").append(subject);
    text.append("\n  expected: ").append(expected);
    text.append("\n  found:    ").append(found);
    witnesses.forEach(witness -> text.append("\n    ").append(witness));
    return text.toString();
  }
}
