package dev.millrace.config;

/** Part of step 5: a failure is retryable or it is not, and is said to be so once. */
final class FailureClassRules {
  private static final String RETRYABLE = "retryable";
  private static final String NON_RETRYABLE = "non-retryable";

  private FailureClassRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    Fields retry = in.in("retry");
    retry.refuseRepeated(RETRYABLE);
    retry.refuseRepeated(NON_RETRYABLE);
    FailureClasses classes = consumer.retry().classes();
    for (Class<?> both : classes.nonRetryable()) {
      if (classes.retryable().contains(both)) {
        Place place = retry.place(NON_RETRYABLE);
        problems.add(
            place,
            "has %s, as retryable has (%s)"
                .formatted(both.getName(), retry.place(RETRYABLE).lineSeenFrom(place)),
            "keep it in one of them");
      }
    }
    boolean nothingElse = !retry.has(NON_RETRYABLE) || retry.isEmptyList(NON_RETRYABLE);
    if (nothingElse && !classes.retryable().isEmpty()) {
      problems.add(
          retry.place(RETRYABLE),
          "is of no use without non-retryable, since all other failures are retried too",
          "remove it, or write 'non-retryable: [java.lang.Throwable]' to have no others retried");
    }
  }
}
