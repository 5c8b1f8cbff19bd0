package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What an exactly-once consumer may be told, and what not. */
class ExactlyOnceRulesTest {

  @Test
  void itsTransactionsAreReadKeyByKeyOverTheDefaults() {
    ConsumerDefinition consumer =
        Objects.requireNonNull(
            ConfigLoader.create()
                .parse(
                    "kafka.yaml",
                    """
                    kafka:
                      common: { bootstrap-servers: "a:1" }
                      defaults: { consumers: { transaction: { slices: 4, timeout: 1m } } }
                      consumers:
                        c:
                          topics: [t]
                          group-id: g
                          delivery-semantics: exactly-once
                          transaction: { id-prefix: copies, slices: 3 }
                    """)
                .consumers()
                .get("c"));

    assertThat(consumer.transaction())
        .isEqualTo(new ConsumerTransactionDefinition("copies", 3, Duration.ofMinutes(1)));
  }

  @Test
  void whatIsOutOfItsBoundsIsRefused() {
    assertThat(Report.ofConsumer("transaction: { id-prefix: 'a b', slices: 17, timeout: 20m }"))
        .contains(
            "consumers.c.transaction.id-prefix: expected a name (1 to 249 of a-z A-Z 0-9 . _ -),"
                + " found 'a b'")
        .contains("consumers.c.transaction.slices: expected a whole number from 1 to 16, found 17")
        .contains(
            "consumers.c.transaction.timeout: expected a duration from 1s to 15m, found '20m'");
  }

  @Test
  void commitsSoRareThatTransactionsWouldRunOutAreRefused() {
    assertThat(Report.ofConsumer("delivery-semantics: exactly-once\ncommit-interval: 6s"))
        .endsWith(
            "consumers.c.commit-interval: is more than half of the transaction's timeout 10s (the default);"
                + " commit more often, or raise the time-out");
    assertThatCode(
            () -> ConfigLoader.create().parse("kafka.yaml", Report.consumer("commit-interval: 6s")))
        .doesNotThrowAnyException();
  }

  @Test
  void partitionsThatNoGroupDealsOutAreRefused() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: "a:1" }
                  consumers:
                    c: { partitions: [t-0], group-id: g, delivery-semantics: exactly-once }
                """))
        .endsWith(
            "consumers.c.delivery-semantics: can't be exactly-once beside partitions (line 4), since"
                + " only a member of the group is kept from copying what another one copies; write"
                + " topics instead, or 'delivery-semantics: at-least-once'");
  }
}
