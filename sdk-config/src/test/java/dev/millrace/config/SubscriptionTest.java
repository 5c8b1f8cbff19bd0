package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a consumer reads, and in which of three ways it says so. */
class SubscriptionTest {
  private static final ConfigLoader LOADER =
      ConfigLoader.create().environment(Map.of("MINE", "orders-0, eu.orders-12"));

  @Test
  void topicsByName() {
    assertThat(subscription("topics: [orders, audit]"))
        .isEqualTo(Subscription.toTopics("orders", "audit"));
  }

  @Test
  void topicsByAPattern() {
    Subscription subscription = subscription("topics-pattern: 'orders\\..*'");

    assertThat(subscription).isEqualTo(new Subscription.Matching("orders\\..*"));
    assertThat(subscription.topics()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[orders-0, eu.orders-12]", "orders-0, eu.orders-12", "${MINE}"})
  void partitionsByNameAndNumber(String list) {
    Subscription subscription = subscription("partitions: " + list);

    assertThat(subscription)
        .isEqualTo(
            new Subscription.Partitions(
                List.of(
                    new Subscription.Partition("orders", 0),
                    new Subscription.Partition("eu.orders", 12))));
    assertThat(subscription.topics()).containsExactly("orders", "eu.orders");
  }

  @Test
  void oneWayOnly() {
    assertThat(
            Report.ofConsumer(
                """
                topics-pattern: o.*
                partitions: [orders-0]"""))
        .isEqualTo(
            """
            kafka.yaml:7:23 consumers.c.topics-pattern: stands beside topics (line 5); keep one of them
            kafka.yaml:8:7 consumers.c.partitions: stands beside topics (line 5); keep one of them""");
  }

  @Test
  void oneWayAtLeast() {
    assertThat(report(""))
        .isEqualTo(
            "kafka.yaml:3:5 consumers.c.topics: is missing; write the topics it reads, or"
                + " 'topics-pattern' or 'partitions'");
    assertThat(report("partitions: []"))
        .isEqualTo(
            "kafka.yaml:5:7 consumers.c.partitions: is empty; write the partitions it reads");
  }

  @ParameterizedTest
  @CsvSource({
    "orders(, Unclosed group",
    "'[a-', 'Illegal character range'",
    "'\\Qorders', Unclosed group",
    "'(?x)orders # all', Unclosed group",
    "'   ', 'write it as in orders'",
  })
  void aPatternThatIsNoneIsRefusedWithItsPlace(String pattern, String why) {
    assertThat(report("topics-pattern: '" + pattern + "'"))
        .startsWith(
            "kafka.yaml:5:23 consumers.c.topics-pattern: expected a regular expression of Java, at"
                + " most 1000 characters long, found '"
                + pattern
                + "'; "
                + why);
  }

  /** The JDK compiles nested groups by recursion. */
  @Test
  void aPatternOfManyGroupsEndsNoThread() {
    assertThat(report("topics-pattern: '" + "(".repeat(30_000) + "a" + ")".repeat(30_000) + "'"))
        .contains("expected a regular expression of Java, at most 1000 characters long");
    assertThat(subscription("topics-pattern: '" + "(".repeat(499) + "a" + ")".repeat(499) + "'"))
        .isInstanceOf(Subscription.Matching.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"orders", "orders-", "-0", "orders-00", "orders--1x", "a/b-0", "o-9999999999"})
  void whatIsNoPartitionIsRefused(String text) {
    assertThat(report("partitions: ['" + text + "']"))
        .isEqualTo(
            "kafka.yaml:5:20 consumers.c.partitions[0]: expected a partition (a topic's name, - and"
                + " a number from 0), found '"
                + text
                + "'; write it as in orders-0");
  }

  @Test
  void noPartitionTwice() {
    assertThat(report("partitions: [orders-0, orders-1, orders-0]"))
        .endsWith("consumers.c.partitions[2]: 'orders-0' is already in the list");
  }

  @Test
  void whatMakesAMemberIsRefusedBesidePartitions() {
    String hint = "remove it: a consumer of fixed partitions is no member of its group";
    assertThat(
            report(
                """
                partitions: [orders-0]
                group-protocol: consumer
                group-instance-id: me
                properties: { session.timeout.ms: 9000, group.remote.assignor: range }"""))
        .isEqualTo(
            """
            kafka.yaml:6:23 consumers.c.group-protocol: is of no use beside partitions (line 5); %1$s; where 'defaults' say it, write 'classic' for this one
            kafka.yaml:7:26 consumers.c.group-instance-id: is of no use beside partitions (line 5); %1$s
            kafka.yaml:8:41 consumers.c.properties.session.timeout.ms: is of no use beside partitions (line 5); %1$s
            kafka.yaml:8:70 consumers.c.properties.group.remote.assignor: is of no use beside partitions (line 5); %1$s"""
                .formatted(hint));
    assertThat(report("partitions: [orders-0]\nproperties: { group.protocol: consumer }"))
        .startsWith(
            "kafka.yaml:6:37 consumers.c.properties.group.protocol: is of no use beside partitions"
                + " (line 5); "
                + hint);
  }

  @Test
  void nobodyDealsFixedPartitionsOutAmongInstances() {
    assertThat(report("partitions: [orders-0, orders-1]\ninstances: 2"))
        .isEqualTo(
            "kafka.yaml:6:18 consumers.c.instances: can't be more than 1 beside partitions (line 5), since each"
                + " instance would read all of them; remove it, or define a consumer for each part of the"
                + " partitions");
  }

  @Test
  void broadcastBeginsWithWhatIsNewUnlessSaidOtherwise() {
    assertThat(definition("topics: [t]").mode()).isEqualTo(ConsumerMode.GROUP);
    ConsumerDefinition broadcast = definition("topics: [t]\nmode: broadcast");
    assertThat(broadcast.mode()).isEqualTo(ConsumerMode.BROADCAST);
    assertThat(broadcast.onMissingOffset())
        .isEqualTo(new MissingOffset(MissingOffset.Start.LATEST));
    assertThat(
            definition("topics: [t]\nmode: broadcast\non-missing-offset: earliest")
                .onMissingOffset())
        .isEqualTo(new MissingOffset(MissingOffset.Start.EARLIEST));
    assertThat(report("partitions: [t-0]\nmode: broadcast"))
        .startsWith(
            "kafka.yaml:6:13 consumers.c.mode: is of no use beside partitions (line 5); remove it");
  }

  @Test
  void deadLettersOfAPatternNeedAGroupThatCanStandInATopicsName() {
    assertThat(
            Report.ofYaml(
                "kafka:\n  consumers:\n    c:\n      bootstrap-servers: a:1\n"
                    + "      topics-pattern: o.*\n      group-id: a/b\n      dead-letter: {}"))
        .contains("makes a dead-letter topic that can't have its name");
  }

  @Test
  void thePatternMatchesWholeNamesAndNoneOfTheOthers() {
    var names = new Subscription.Matching("a|orders\\..*").except(List.of("orders\\.x", ".*y"));

    assertThat(List.of("a", "orders.1", "orders.xx", "orders.yz"))
        .allMatch(name -> names.matcher(name).matches());
    assertThat(List.of("orders.x", "orders.y", "ab", "my.orders.1"))
        .noneMatch(name -> names.matcher(name).matches());
  }

  private static String report(String lines) {
    return Report.of(LOADER, "kafka.yaml", consumer(lines));
  }

  private static Subscription subscription(String lines) {
    return definition(lines).subscription();
  }

  private static ConsumerDefinition definition(String lines) {
    return Objects.requireNonNull(LOADER.parse("kafka.yaml", consumer(lines)).consumers().get("c"));
  }

  private static String consumer(String lines) {
    return "kafka:\n  consumers:\n    c:\n      bootstrap-servers: a:1\n"
        + lines.indent(6)
        + "      group-id: g\n";
  }
}
