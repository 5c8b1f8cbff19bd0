package dev.millrace.config;

import java.util.List;

/** Part of step 5: a consumer says what it reads, and in one way only. */
final class SubscriptionRules {
  private static final String TOPICS = "topics";
  private static final String PARTITIONS = "partitions";
  private static final List<String> WAYS = List.of(TOPICS, "topics-pattern", PARTITIONS);

  private SubscriptionRules() {}

  static void check(Fields in, Problems problems) {
    List<String> written = WAYS.stream().filter(in::has).toList();
    if (written.isEmpty()) {
      problems.add(
          in.place(TOPICS),
          "is missing",
          "write the topics it reads, or 'topics-pattern' or 'partitions'");
      return;
    }
    String first = written.get(0);
    for (String other : written.subList(1, written.size())) {
      Place place = in.place(other);
      problems.add(
          place,
          "stands beside " + first + " (" + in.place(first).lineSeenFrom(place) + ")",
          "keep one of them");
    }
    if (in.isEmptyList(first)) {
      problems.add(in.place(first), "is empty", "write the " + first + " it reads");
    }
    in.refuseRepeated(TOPICS);
    in.refuseRepeated(PARTITIONS);
  }
}
