package dev.millrace.config;

/** Part of step 5: of circuit breakers and rate limits. */
final class StartRules {
  private StartRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    CircuitBreakerDefinition circuit = consumer.circuitBreaker();
    if (circuit != null) {
      requireCallsThatFitTheWindow(circuit, in.in("circuit-breaker"), problems);
    }
    RateLimitDefinition rate = consumer.rateLimit();
    if (rate != null) {
      requireRate(in, problems);
      requireRecordForEachInstance(consumer, rate, in, problems);
      refuseBatchAboveRate(consumer, rate, in, problems);
    }
  }

  private static void requireCallsThatFitTheWindow(
      CircuitBreakerDefinition circuit, Fields in, Problems problems) {
    if (circuit.minimumCalls() > circuit.window()
        && in.isSound("minimum-calls")
        && in.isSound("window")) {
      Place place = in.place("minimum-calls");
      problems.add(
          place,
          "is more than "
              + in.cite("window", Integer.toString(Defaults.CIRCUIT_WINDOW), place)
              + ", so the circuit would never open",
          "widen the window, or ask for fewer calls");
    }
  }

  private static void requireRate(Fields in, Problems problems) {
    Fields rate = in.in("rate-limit");
    if (!rate.has("records")) {
      problems.add(
          rate.place("records"),
          "is missing",
          "write how many records may start within 'per', such as 'rate-limit: { records: 100, per: 1s }'");
    }
  }

  /** They divide the rate, and one without a share would stand still. */
  private static void requireRecordForEachInstance(
      ConsumerDefinition consumer, RateLimitDefinition rate, Fields in, Problems problems) {
    Fields its = in.in("rate-limit");
    if (rate.records() < consumer.instances()
        && its.has("records")
        && its.isSound("records")
        && in.isSound("instances")) {
      Place place = its.place("records");
      problems.add(
          place,
          "is less than "
              + in.cite("instances", Integer.toString(Defaults.INSTANCES), place)
              + ", which divide it",
          "write fewer instances, or a longer 'per' with more records");
    }
  }

  /** A default that is too large is left alone: it may be a consumer without batches. */
  private static void refuseBatchAboveRate(
      ConsumerDefinition consumer, RateLimitDefinition rate, Fields in, Problems problems) {
    Fields batch = in.in("batch");
    Fields its = in.in("rate-limit");
    if (batch.has("max-records")
        && batch.isSound("max-records")
        && its.has("records")
        && its.isSound("records")
        && consumer.batch().maxRecords() > rate.records()) {
      Place place = batch.place("max-records");
      problems.add(
          place,
          "is more than rate-limit."
              + its.cite("records", "", place)
              + ", and a batch starts as a whole",
          "write smaller batches, or a longer 'per' with more records");
    }
  }
}
