package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits in a retry topic is not deleted by the brokers before it is due. */
@KafkaTest
class RetryTopicSettingsTest {
  private static final Duration WEEK = Duration.ofDays(7);
  private static final Duration DELAY = Duration.ofHours(24);

  private final KafkaCluster kafka;
  private final BrokerFixture broker;
  private final String retryTopic;

  RetryTopicSettingsTest(KafkaCluster kafka, TestTopics topics) {
    this.kafka = kafka;
    this.broker = new BrokerFixture(kafka, topics);
    this.retryTopic = broker.topic() + "." + broker.group() + ".retry.1";
  }

  @BeforeEach
  void create() {
    broker.create(1);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  @Test
  void oneThatIsCreatedKeepsRecordsForLongerThanTheyWait() throws Exception {
    start();

    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, retryTopic);
    Config told = kafka.admin().describeConfigs(List.of(topic)).all().get().get(topic);
    assertThat(told.get("retention.ms").value())
        .isEqualTo(Long.toString(DELAY.plus(WEEK).toMillis()));
    assertThat(told.get("cleanup.policy").value()).isEqualTo("delete");
  }

  @Test
  void oneThatKeepsThemForLessIsRefused() {
    kafka.createTopic(retryTopic, 1, Map.of("retention.ms", Long.toString(DELAY.toMillis())));

    assertThatThrownBy(this::start)
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContainingAll("waiting", retryTopic, "86400000 ms (retention.ms)");
  }

  @Test
  void oneThatIsCompactedIsRefused() {
    kafka.createTopic(retryTopic, 1, Map.of("cleanup.policy", "compact,delete"));

    assertThatThrownBy(this::start)
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContainingAll("waiting", retryTopic, "cleanup.policy 'compact,delete'");
  }

  @Test
  void oneThatKeepsThemForLongerOrForEverIsTaken() {
    kafka.createTopic(retryTopic, 1, Map.of("retention.ms", Long.toString(DELAY.toMillis() + 1)));
    start();
    broker.close();
    kafka.deleteTopic(retryTopic);
    kafka.createTopic(retryTopic, 1, Map.of("retention.ms", "-1"));
    start();
  }

  private void start() {
    broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                waiting:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  retry: { topics: [24h] }
            """)
        .createConsumer("waiting", String.class)
        .subscribe((value, context) -> {});
  }
}
