package dev.millrace.config;

import java.time.Duration;

/**
 * How the handles of a named producer share its Kafka clients.
 *
 * @param instances how many Kafka clients it has, among which keys are divided; 1 to 16
 * @param idleEviction how long after the last handle is closed they are closed too; 0 for never, at
 *     most 168 h
 * @param inFlight how much they may have on its way, all together
 */
public record PoolDefinition(int instances, Duration idleEviction, InFlightDefinition inFlight) {

  /**
   * Returns what holds where nothing is said: one Kafka client, closed when it has been idle for
   * long.
   */
  public static PoolDefinition defaults() {
    return new PoolDefinition(Defaults.INSTANCES, Defaults.IDLE_EVICTION, Defaults.IN_FLIGHT);
  }
}
