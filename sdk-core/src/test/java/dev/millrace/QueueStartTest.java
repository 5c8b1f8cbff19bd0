package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.consumer.PreparedConsumer;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a queue looks up and sets before its first record. */
@KafkaTest
class QueueStartTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        consumers:
          queue: { mode: queue, topics: ["${TOPIC}"], group-id: "${GROUP}" }
          late: { mode: queue, topics: ["${TOPIC}"], group-id: "${GROUP}", on-missing-offset: latest }
          back:
            { mode: queue, topics: ["${TOPIC}"], group-id: "${GROUP}", on-missing-offset: by-duration:90m }
      """;

  private final BrokerFixture broker;
  private final KafkaCluster kafka;
  private final Queue<String> handled = new ConcurrentLinkedQueue<>();

  QueueStartTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void aNewGroupStartsAtTheFirstRecord() throws Exception {
    broker.create(1);
    broker.send("k", "before the group");

    var unused = prepared("queue").subscribe((value, context) -> handled.add(value));

    await().atMost(SOON).until(() -> handled.contains("before the group"));
    assertThat(start().value()).isEqualTo("earliest");
    assertThat(start().source()).isEqualTo(ConfigEntry.ConfigSource.DYNAMIC_GROUP_CONFIG);
  }

  @Test
  void orWhereTheDefinitionSays() throws Exception {
    broker.create(1);

    var unused = prepared("back").subscribe((value, context) -> handled.add(value));

    assertThat(start().value()).isEqualTo("by_duration:PT1H30M");
  }

  @Test
  void whatTheGroupHasBeenToldHolds() throws Exception {
    broker.create(1);
    broker.send("k", "before the group");
    kafka
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                group(),
                List.of(
                    new AlterConfigOp(
                        new ConfigEntry("share.auto.offset.reset", "earliest"),
                        AlterConfigOp.OpType.SET))))
        .all()
        .get();

    var unused = prepared("late").subscribe((value, context) -> handled.add(value));

    await().atMost(SOON).until(() -> handled.contains("before the group"));
    assertThat(start().value()).isEqualTo("earliest");
  }

  @Test
  void aClusterWithoutShareGroupsIsToldFromOneThatIsAway() throws Exception {
    try (KafkaCluster old = KafkaCluster.start();
        KafkaFactory factory =
            KafkaFactory.create(
                ConfigLoader.create()
                    .environment(
                        Map.of("BROKERS", old.bootstrapServers(), "TOPIC", "t", "GROUP", "g"))
                    .parse("test.yaml", CONFIG))) {
      old.admin()
          .updateFeatures(
              Map.of(
                  "share.version",
                  new FeatureUpdate((short) 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE)),
              new UpdateFeaturesOptions())
          .all()
          .get();
      PreparedConsumer<String> prepared = factory.createConsumer("queue", String.class);

      // The broker tells it as soon as it has learnt it itself.
      await()
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThatExceptionOfType(InvalidDefinitionException.class)
                      .isThrownBy(() -> prepared.subscribe((value, context) -> {}).close())
                      .withMessage(
                          "Consumer 'queue': 'mode: queue' needs share groups (KIP-932), which the"
                              + " cluster at %s does not have: its feature share.version is off. Use"
                              + " brokers from Kafka 4.2 and enable it (kafka-features.sh upgrade"
                              + " --feature share.version=1), or write 'mode: group'.",
                          old.bootstrapServers()));
    }
    assertThat(BrokerFixture.threads("millrace-queue-")).isEmpty();
  }

  private PreparedConsumer<String> prepared(String name) {
    return broker.factory(CONFIG).createConsumer(name, String.class);
  }

  private ConfigResource group() {
    return new ConfigResource(ConfigResource.Type.GROUP, broker.group());
  }

  private ConfigEntry start() throws Exception {
    return kafka
        .admin()
        .describeConfigs(List.of(group()))
        .all()
        .get()
        .get(group())
        .get("share.auto.offset.reset");
  }
}
