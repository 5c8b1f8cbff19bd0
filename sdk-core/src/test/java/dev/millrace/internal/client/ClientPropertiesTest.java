package dev.millrace.internal.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.errors.InvalidDefinitionException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientPropertiesTest {
  private final ClientProperties properties = new ClientProperties("shop");

  @Test
  void atLeastOnceProducersWaitForAllAndAreIdempotent() {
    assertThat(producer("{ topics: [t] }"))
        .containsEntry("acks", "all")
        .containsEntry("enable.idempotence", "true")
        .containsEntry("client.id", "shop-p")
        .containsEntry("bootstrap.servers", "h1:9092,h2:9092");
  }

  @Test
  void atMostOnceProducersNeverSendTwice() {
    assertThat(producer("{ topics: [t], delivery-semantics: at-most-once }"))
        .containsEntry("acks", "0")
        .containsEntry("retries", "0")
        .containsEntry("enable.idempotence", "false");
  }

  @ParameterizedTest
  @ValueSource(strings = {"throughput", "latency", "durability", "balanced"})
  void everyProfileIsUnderstoodByTheClientsAndLosesAgainstASingleSetting(String profile) {
    assertThat(producer("{ topics: [t], profile: " + profile + ", properties: { linger.ms: 7 } }"))
        .containsEntry("linger.ms", "7");
    assertThat(
            consumer(
                    "{ topics: [t], group-id: g, profile: "
                        + profile
                        + ", properties: { fetch.min.bytes: 7 } }")
                .properties())
        .containsEntry("fetch.min.bytes", "7");
  }

  @Test
  void consumersCommitByThemselvesFromTheEarliestAndRebalanceCooperatively() {
    Map<String, Object> settings = consumer("{ topics: [t], group-id: g }").properties();

    assertThat(settings)
        .containsEntry("enable.auto.commit", "false")
        .containsEntry("auto.offset.reset", "none")
        .containsEntry("group.id", "g")
        .containsEntry("allow.auto.create.topics", "false");
    assertThat(settings.get("partition.assignment.strategy").toString())
        .endsWith("CooperativeStickyAssignor");
  }

  @ParameterizedTest
  @ValueSource(strings = {"group-protocol: consumer", "properties: { group.protocol: consumer }"})
  void theNewGroupProtocolGetsNoAssignor(String protocol) {
    assertThat(consumer("{ topics: [t], group-id: g, " + protocol + " }").properties())
        .containsEntry("group.protocol", "consumer")
        .doesNotContainKey("partition.assignment.strategy");
  }

  @Test
  void aMemberIsStaticWhenItHasAName() {
    assertThat(consumer("{ topics: [t], group-id: g, group-instance-id: me }").properties())
        .containsEntry("group.protocol", "classic")
        .containsEntry("group.instance.id", "me");
    assertThat(consumer("{ topics: [t], group-id: g }").properties())
        .doesNotContainKey("group.instance.id");
  }

  /**
   * The loader knows no Kafka client, so its list of what a protocol does not know is its own; it
   * must be the client's.
   */
  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void theLoaderRefusesForAProtocolWhatTheClientWould(String protocol) {
    Set<String> byClient = new TreeSet<>();
    Set<String> byLoader = new TreeSet<>();
    for (ConfigDef.ConfigKey key : ConsumerConfig.configDef().configKeys().values()) {
      // Share groups are another kind of consumer.
      if (ConsumerConfig.configNames().contains(key.name) && !key.name.startsWith("share.")) {
        String value = someValue(key);
        if (clientRefuses(protocol, key.name, value)) {
          byClient.add(key.name);
        }
        if (loaderRefuses(protocol, key.name, value)) {
          byLoader.add(key.name);
        }
      }
    }
    assertThat(byClient).isNotEmpty();
    assertThat(byLoader).isEqualTo(byClient);
  }

  /** Returns a value that the client can read, and does not pass over as blank. */
  private static String someValue(ConfigDef.ConfigKey key) {
    String ofDefault =
        key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
    return ofDefault == null || ofDefault.isBlank() ? "1" : ofDefault;
  }

  private static boolean clientRefuses(String protocol, String setting, String value) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("group.id", "g");
    settings.put("group.protocol", protocol);
    settings.put("key.deserializer", StringDeserializer.class);
    settings.put("value.deserializer", StringDeserializer.class);
    settings.put("bootstrap.servers", "localhost:9092");
    settings.putIfAbsent(setting, value);
    try {
      assertThat(new ConsumerConfig(settings)).isNotNull();
      return false;
    } catch (ConfigException e) {
      return String.valueOf(e.getMessage()).contains(" cannot be set when group.protocol=");
    }
  }

  private static boolean loaderRefuses(String protocol, String setting, String value) {
    String yaml =
        "kafka: { common: { bootstrap-servers: 'a:1' }, consumers: { c: { topics: [t], group-id: g, group-protocol: %s, properties: { %s: '%s' } } } }";
    try {
      ConfigLoader.create().parse("test", yaml.formatted(protocol, setting, value));
      return false;
    } catch (dev.millrace.config.ConfigException e) {
      return e.problems().get(0).message().startsWith("is no setting of group-protocol");
    }
  }

  @Test
  void oneQuarterOfTheChannelAtMostIsPolledAtOnce() {
    assertThat(consumer("{ topics: [t], group-id: g, channel-capacity: 100 }").maxPollRecords())
        .isEqualTo(25);
    assertThat(
            consumer("{ topics: [t], group-id: g, properties: { max.poll.records: 77 } }")
                .maxPollRecords())
        .isEqualTo(77);
  }

  @Test
  void aPollThatDoesNotFitTheChannelIsRefused() {
    assertThatThrownBy(
            () ->
                consumer(
                    "{ topics: [t], group-id: g, channel-capacity: 100, properties: { max.poll.records: 500 } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Consumer 'c': max.poll.records is 500, more than its channel-capacity of 100 can hold;"
                + " lower the one or raise the other.");
  }

  @Test
  void aDrainThatCouldCostTheMembershipIsRefused() {
    assertThatThrownBy(
            () ->
                consumer(
                    "{ topics: [t], group-id: g, drain-timeout: 5s, properties: { max.poll.interval.ms: 8000 } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("drain-timeout is 5000 ms")
        .hasMessageContaining("max.poll.interval.ms (8000 ms)");
  }

  /** A listener's time for what comes may follow, between the same two polls. */
  @Test
  void aDrainLeavesRoomForAListenerToo() {
    String interval = "properties: { max.poll.interval.ms: 6000 } }";
    assertThatThrownBy(
            () -> consumer("{ topics: [t], group-id: g, drain-timeout: 1001ms, " + interval))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("and again for a listener");
    assertThat(consumer("{ topics: [t], group-id: g, drain-timeout: 1s, " + interval)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "topics: [t], group-id: g, mode: queue, ordering: unordered",
        "partitions: [t-0], group-id: g"
      })
  void whereNothingIsRevokedADrainCostsNoMembership(String reads) {
    assertThat(consumer("{ " + reads + ", drain-timeout: 1h }").maxPollInterval())
        .isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void aValueThatKafkaRefusesIsNamed() {
    assertThatThrownBy(() -> producer("{ topics: [t], properties: { linger.ms: soon } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("Producer 'p'")
        .hasMessageContaining("linger.ms");
  }

  @Test
  void theRefusedValueIsNotShownSinceItMayBeASecret() {
    assertThatThrownBy(
            () -> producer("{ topics: [t], properties: { security.protocol: hunter2 } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining("security.protocol")
        .hasNoCause()
        .satisfies(failure -> assertThat(failure.toString()).doesNotContain("hunter2"));
  }

  @Test
  void withoutIdempotenceOneRequestIsInFlightSoThatOrderPerKeyHolds() {
    assertThat(producer("{ topics: [t], enable-idempotence: false }"))
        .containsEntry("max.in.flight.requests.per.connection", "1");
    assertThatThrownBy(
            () ->
                producer(
                    "{ topics: [t], enable-idempotence: false, properties: { max.in.flight.requests.per.connection: 5 } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessageContaining(
            "max.in.flight.requests.per.connection: 5 would let records of a key");
  }

  @Test
  void aPropertyThatKafkaDoesNotKnowIsNamedWithTheNearest() {
    assertThatThrownBy(() -> producer("{ topics: [t], properties: { linger.mss: 5 } }"))
        .isInstanceOf(InvalidDefinitionException.class)
        .hasMessage(
            "Producer 'p' sets properties that the Kafka client doesn't know: 'linger.mss' (did you"
                + " mean 'linger.ms'?).");
  }

  @Test
  void theDeadLetterProducerReachesTheBrokersAsItsConsumerDoes() {
    Map<String, Object> settings =
        properties.deadLetterProducer(
            config(
                    "{ topics: [t] }",
                    "{ topics: [t], group-id: g, dead-letter: {}, properties: { security.protocol: SASL_PLAINTEXT, fetch.min.bytes: 5 } }")
                .consumers()
                .get("c"));

    assertThat(settings)
        .containsEntry("acks", "all")
        .containsEntry("security.protocol", "SASL_PLAINTEXT")
        .doesNotContainKey("fetch.min.bytes");
  }

  @Test
  void theAdminClientIsGivenOnlyWhatItKnows() {
    Map<String, Object> client =
        new HashMap<>(consumer("{ topics: [t], group-id: g }").properties());
    client.put("sasl.mechanism", "PLAIN");

    assertThat(ClientProperties.admin(client))
        .containsOnlyKeys("bootstrap.servers", "client.id", "sasl.mechanism");
  }

  private Map<String, Object> producer(String definition) {
    return properties.producer(
        config(definition, "{ topics: [t], group-id: g }").producers().get("p"));
  }

  private ConsumerSettings consumer(String definition) {
    return properties.consumer(config("{ topics: [t] }", definition).consumers().get("c"));
  }

  private static KafkaConfig config(String producer, String consumer) {
    return ConfigLoader.create()
        .parse(
            "test.yaml",
            "kafka: { common: { bootstrap-servers: [h1:9092, h2:9092] }, producers: { p: "
                + producer
                + " }, consumers: { c: "
                + consumer
                + " } }");
  }
}
