package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Circuit breakers and rate limits, by config. */
class StartRulesTest {

  private static ConsumerDefinition load(String keys) {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: 'localhost:9092' }
          defaults: { consumers: { rate-limit: { per: 1m } } }
          consumers: { c: { topics: [t], group-id: g, %s } }
        """;
    return Objects.requireNonNull(
        ConfigLoader.create()
            .parse("kafka.yaml", yaml.formatted(keys).replace("WITHOUT", "enabled: false"))
            .consumers()
            .get("c"));
  }

  private static ConsumerDefinition circuit(String keys) {
    return load("rate-limit: { WITHOUT }, circuit-breaker: { " + keys + " }");
  }

  @Test
  void bothAreThereWhereTheirKeysStand() {
    assertThat(load("rate-limit: { WITHOUT, records: 5 }").rateLimit()).isNull();
    assertThat(load("rate-limit: { WITHOUT }").circuitBreaker()).isNull();
    assertThat(circuit("").circuitBreaker())
        .isEqualTo(new CircuitBreakerDefinition(50, 100, 20, Duration.ofSeconds(30), 5));
    assertThat(circuit("WITHOUT, window: 5").circuitBreaker()).isNull();
    assertThat(load("rate-limit: { records: 5 }").rateLimit())
        .isEqualTo(new RateLimitDefinition(5, Duration.ofMinutes(1)));
  }

  @Test
  void eachKeyIsRead() {
    assertThat(
            circuit("failure-rate: 100, window: 10, minimum-calls: 3, open-for: 5m, probes: 1")
                .circuitBreaker())
        .isEqualTo(new CircuitBreakerDefinition(100, 10, 3, Duration.ofMinutes(5), 1));
    assertThat(load("rate-limit: { records: 7, per: 100ms }").rateLimit())
        .isEqualTo(new RateLimitDefinition(7, Duration.ofMillis(100)));
  }

  @Test
  void aSmallWindowAsksForNoMoreCallsThanItHas() {
    assertThat(circuit("window: 8").circuitBreaker())
        .isEqualTo(new CircuitBreakerDefinition(50, 8, 8, Duration.ofSeconds(30), 5));
  }

  @Test
  void aCircuitThatCouldNeverOpenIsRefused() {
    assertThatThrownBy(() -> circuit("window: 10, minimum-calls: 11"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "consumers.c.circuit-breaker.minimum-calls: is more than window 10 (line 4), so the"
                + " circuit would never open; widen the window, or ask for fewer calls");
    assertThatThrownBy(() -> circuit("minimum-calls: 101"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("is more than window 100 (the default)");
  }

  @Test
  void aRateLimitHasToSayHowManyRecords() {
    assertThatThrownBy(() -> load("concurrency: 1"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("rate-limit.records: is missing; write how many");
  }

  @Test
  void instancesDivideTheRate() {
    assertThat(
            load("rate-limit: { records: 8 }, instances: 3").perInstance().stream()
                .map(its -> Objects.requireNonNull(its.rateLimit()))
                .toList())
        .isEqualTo(
            List.of(
                new RateLimitDefinition(3, Duration.ofMinutes(1)),
                new RateLimitDefinition(3, Duration.ofMinutes(1)),
                new RateLimitDefinition(2, Duration.ofMinutes(1))));
    assertThatThrownBy(() -> load("rate-limit: { records: 2 }, instances: 3"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("rate-limit.records: is less than instances 3 (line 4)");
  }

  @Test
  void aBatchLargerThanTheRateIsRefused() {
    assertThatThrownBy(() -> load("rate-limit: { records: 99 }, batch: { max-records: 100 }"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("batch.max-records: is more than rate-limit.records 99 (line 4)");
    assertThat(load("rate-limit: { records: 99 }").batch().maxRecords()).isEqualTo(500);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "failure-rate: 0",
        "failure-rate: 101",
        "window: 0",
        "window: 10001",
        "minimum-calls: 0",
        "open-for: 999ms",
        "open-for: 25h",
        "probes: 0",
        "probes: 1001",
        "slow-calls: 5"
      })
  void mistakesInACircuitAreReported(String mistake) {
    assertThatThrownBy(() -> circuit(mistake))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(
            "consumers.c.circuit-breaker." + mistake.substring(0, mistake.indexOf(':')));
  }

  @ParameterizedTest
  @CsvSource({"records, 0", "records, 10000001", "per, 99ms", "per, 25h", "rate, 5"})
  void mistakesInARateAreReported(String key, String value) {
    String before = key.equals("records") ? "" : "records: 1, ";
    assertThatThrownBy(() -> load("rate-limit: { " + before + key + ": " + value + " }"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("consumers.c.rate-limit." + key);
  }
}
