package dev.millrace.config;

/**
 * How the handles of a named producer share its Kafka clients.
 *
 * @param instances how many Kafka clients it has, among which keys are divided; 1 to 16
 */
public record PoolDefinition(int instances) {

  /** Returns what holds where nothing is said: one Kafka client. */
  public static PoolDefinition defaults() {
    return new PoolDefinition(Defaults.INSTANCES);
  }
}
