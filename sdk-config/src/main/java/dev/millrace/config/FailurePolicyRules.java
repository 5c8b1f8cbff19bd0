package dev.millrace.config;

/** Whether {@code on-failure} has something to say. */
final class FailurePolicyRules {
  private FailurePolicyRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    if (!in.has("on-failure") || !in.isSound("on-failure")) {
      return;
    }
    Place place = in.place("on-failure");
    if (consumer.deadLetter() != null) {
      problems.add(
          place,
          "is of no use beside 'dead-letter', which takes what fails",
          "remove one of them ('dead-letter: { enabled: false }' where a default has it)");
    } else if (consumer.onFailure() == FailurePolicy.STOP
        && consumer.deliverySemantics() == DeliverySemantics.AT_MOST_ONCE
        && in.isSound("delivery-semantics")) {
      problems.add(
          place,
          "stop contradicts "
              + in.cite("delivery-semantics", "at-most-once", place)
              + ", whose offset is past the record already",
          "write 'skip' or remove it, or write 'delivery-semantics: at-least-once'");
    }
  }
}
