package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QueueModeTest {

  @Test
  void aQueueHasNoOrderAndAGroupHasOnePerKeyUnlessSaidOtherwise() {
    assertThat(consumer("").mode()).isEqualTo(ConsumerMode.GROUP);
    assertThat(consumer("").ordering()).isEqualTo(Ordering.KEY);
    assertThat(consumer("mode: Queue").mode()).isEqualTo(ConsumerMode.QUEUE);
    assertThat(consumer("mode: queue").ordering()).isEqualTo(Ordering.UNORDERED);
    assertThat(consumer("mode: queue\nordering: unordered").ordering())
        .isEqualTo(Ordering.UNORDERED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"key", "partition"})
  void anOrderIsRefusedWhereItStands(String ordering) {
    assertThat(Report.ofConsumer("mode: queue\nordering: " + ordering))
        .isEqualTo(
            "kafka.yaml:8:17 consumers.c.ordering: "
                + ordering
                + " contradicts mode queue (line 7); a share group keeps no order: write 'ordering:"
                + " unordered' or remove it, or write 'mode: group'");
  }

  @Test
  void aStartThatTheBrokersDoNotKnowIsRefusedWhereItStands() {
    assertThat(Report.ofConsumer("mode: queue\non-missing-offset: fail"))
        .isEqualTo(
            "kafka.yaml:8:26 consumers.c.on-missing-offset: fail contradicts mode queue (line 7);"
                + " write earliest, latest or by-duration:24h; the brokers know no other start");
  }

  @ParameterizedTest
  @CsvSource({"at-most-once", "exactly-once"})
  void aPromiseThatAShareGroupCantKeepIsRefused(String semantics) {
    assertThat(Report.ofConsumer("mode: queue\ndelivery-semantics: " + semantics))
        .isEqualTo(
            "kafka.yaml:8:27 consumers.c.delivery-semantics: %s contradicts mode queue (line 7); a share group hands a record out again when its consumer is lost: write 'at-least-once', or write 'mode: group'"
                .formatted(semantics));
  }

  @ParameterizedTest
  @CsvSource({
    "group-protocol, consumer, a share group has a protocol of its own (KIP-932)",
    "group-instance-id, me, a share group has no static members"
  })
  void whatAShareGroupDoesNotKnowIsRefusedWithWhatHoldsInstead(
      String key, String value, String hint) {
    assertThat(Report.ofConsumer("mode: queue\n" + key + ": " + value))
        .isEqualTo(
            "kafka.yaml:8:%d consumers.c.%s: is no setting of mode queue (line 7); remove it; %s"
                .formatted(9 + key.length(), key, hint));
    assertThat(consumer("mode: group\n" + key + ": " + value).mode()).isEqualTo(ConsumerMode.GROUP);
  }

  @ParameterizedTest
  @CsvSource({
    "group.protocol, classic, a share group has a protocol of its own (KIP-932)",
    "session.timeout.ms, 9000, the group's own setting 'share.session.timeout.ms'",
    "heartbeat.interval.ms, 900, the group's own setting 'share.heartbeat.interval.ms'",
    "isolation.level, read_committed, the group's own setting 'share.isolation.level'",
    "partition.assignment.strategy, x, the brokers assign",
    "group.remote.assignor, x, the brokers assign",
    "interceptor.classes, x, the share consumer has no interceptors",
    "share.acknowledgement.mode, implicit, each record is acknowledged by itself",
    "share.acquire.mode, batch_optimized, no more is taken than is handled next"
  })
  void kafkasOwnSettingsToo(String setting, String value, String hint) {
    assertThat(Report.ofConsumer("mode: queue\nproperties: { " + setting + ": " + value + " }"))
        .startsWith(
            "kafka.yaml:8:%d consumers.c.properties.%s: is no setting of mode queue (line 7); remove it; %s"
                .formatted(23 + setting.length(), setting, hint))
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({
    "topics-pattern, o.*, 23, a share group reads topics by their names",
    "partitions, '[o-0]', 7, the partitions of a share group are nobody's own"
  })
  void aQueueIsOfNamedTopics(String key, String value, int column, String hint) {
    assertThat(
            Report.ofYaml(
                "kafka:\n  consumers:\n    c:\n      bootstrap-servers: a:1\n      group-id: g\n"
                    + "      mode: queue\n      "
                    + key
                    + ": "
                    + value))
        .startsWith(
            "kafka.yaml:7:%d consumers.c.%s: is no setting of mode queue (line 6); write 'topics': %s"
                .formatted(column, key, hint))
        .hasLineCount(1);
  }

  private static ConsumerDefinition consumer(String lines) {
    return Objects.requireNonNull(
        ConfigLoader.create().parse("k", Report.consumer(lines)).consumers().get("c"));
  }
}
