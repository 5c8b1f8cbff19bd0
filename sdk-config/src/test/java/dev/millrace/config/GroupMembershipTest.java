package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GroupMembershipTest {
  private static final ConfigLoader LOADER =
      ConfigLoader.create().environment(Map.of("HOSTNAME", "orders-3"));

  @Test
  void classicAndWithoutANameUnlessSaidOtherwise() {
    assertThat(membership("")).isEqualTo(new GroupMembership(GroupProtocol.CLASSIC, null));
    assertThat(membership("group-protocol: consumer\ngroup-instance-id: ${HOSTNAME}"))
        .isEqualTo(new GroupMembership(GroupProtocol.CONSUMER, "orders-3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"consumer", "CONSUMER"})
  void theProtocolAsKafkasOwnSettingIsUnderstood(String value) {
    assertThat(membership("properties: { group.protocol: " + value + " }").protocol())
        .isEqualTo(GroupProtocol.CONSUMER);
  }

  @Test
  void oneWordOnTheProtocolOnlyEvenWhenTwoAgree() {
    assertThat(
            Report.ofConsumer("group-protocol: consumer\nproperties: { group.protocol: consumer }"))
        .isEqualTo(
            "kafka.yaml:8:37 consumers.c.properties.group.protocol: stands beside group-protocol"
                + " consumer (line 7); keep one of them");
  }

  @Test
  void aProtocolThatDoesNotExistIsRefusedWhereItStands() {
    assertThat(Report.ofConsumer("properties: { group.protocol: streams }"))
        .isEqualTo(
            "kafka.yaml:7:37 consumers.c.properties.group.protocol: expected one of classic,"
                + " consumer, found 'streams'");
    assertThat(Report.ofConsumer("group-protocol: clasic"))
        .isEqualTo(
            "kafka.yaml:7:23 consumers.c.group-protocol: expected one of classic, consumer, found"
                + " 'clasic'; did you mean 'classic'?");
  }

  @ParameterizedTest
  @CsvSource({
    "session.timeout.ms, the broker's 'group.consumer.session.timeout.ms' holds",
    "heartbeat.interval.ms, the broker's 'group.consumer.heartbeat.interval.ms' holds",
    "partition.assignment.strategy, the broker assigns"
  })
  void whatTheNewProtocolDoesNotKnowIsRefusedWithWhatHoldsInstead(String setting, String hint) {
    assertThat(Report.ofConsumer("group-protocol: consumer\nproperties: { " + setting + ": 9000 }"))
        .startsWith(
            "kafka.yaml:8:%d consumers.c.properties.%s: is no setting of group-protocol consumer (line 7); remove it; %s"
                .formatted(23 + setting.length(), setting, hint));
    assertThat(Report.ofConsumer("properties: { group.protocol: consumer, " + setting + ": 9000 }"))
        .contains(" is no setting of group.protocol consumer (line 7); remove it; " + hint);
    assertThat(membership("properties: { " + setting + ": 9000 }").protocol())
        .isEqualTo(GroupProtocol.CLASSIC);
  }

  @Test
  void aSettingFromTheDefaultsIsRefusedWhereItStands() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: a:1 }
                  defaults: { consumers: { properties: { session.timeout.ms: 9000 } } }
                  consumers:
                    old: { topics: t, group-id: g }
                    new: { topics: t, group-id: h, group-protocol: consumer }
                """))
        .startsWith(
            "kafka.yaml:3:62 defaults.consumers.properties.session.timeout.ms: is no setting of"
                + " group-protocol consumer (line 6)")
        .hasLineCount(1);
  }

  @Test
  void theClassicProtocolHasNoRemoteAssignor() {
    assertThat(Report.ofConsumer("properties: { group.remote.assignor: range }"))
        .isEqualTo(
            "kafka.yaml:7:44 consumers.c.properties.group.remote.assignor: is no setting of"
                + " group-protocol classic (the default); remove it, or write 'group-protocol:"
                + " consumer'; members assign by 'partition.assignment.strategy'");
  }

  /** Shared by several consumers, the name would have them throw each other out of the group. */
  @Test
  void aMembersNameIsEachConsumersOwn() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: a:1 }
                  defaults: { consumers: { group-instance-id: me, topics: t } }
                """))
        .isEqualTo(
            """
            kafka.yaml:3:28 defaults.consumers.group-instance-id: unknown key; each consumer has its own; write it under 'consumers'
            kafka.yaml:3:51 defaults.consumers.topics: unknown key; each consumer has its own; write it under 'consumers'""");
    assertThat(Report.ofConsumer("properties: { group.instance.id: me }"))
        .isEqualTo(
            "kafka.yaml:7:21 consumers.c.properties.group.instance.id: is set by Millrace; write"
                + " 'group-instance-id' instead");
    assertThat(Report.ofConsumer("group-instance-id: 'host name'"))
        .isEqualTo(
            "kafka.yaml:7:26 consumers.c.group-instance-id: expected a member's name (1 to 249 of"
                + " a-z A-Z 0-9 . _ -), found 'host name'");
  }

  private static GroupMembership membership(String lines) {
    return Objects.requireNonNull(
            LOADER.parse("kafka.yaml", Report.consumer(lines)).consumers().get("c"))
        .membership();
  }
}
