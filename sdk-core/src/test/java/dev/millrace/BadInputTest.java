package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigException;
import dev.millrace.errors.BrokerUnavailableException;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.errors.UnknownNameException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** What a service author gets wrong: a typed error in a bounded time, and nothing left behind. */
class BadInputTest {
  private static final String SOUND =
      """
      kafka:
        common: { bootstrap-servers: "127.0.0.1:%d", connect-timeout: 500ms }
        producers:
          order-producer: { topics: [orders] }
          refund-producer: { topics: [refunds] }
        consumers:
          order-consumer: { topics: [orders], group-id: g, dead-letter: {} }
      """;

  @TempDir Path folder;
  private final Set<Thread> before = new HashSet<>();

  @BeforeEach
  void rememberThreads() {
    before.addAll(Thread.getAllStackTraces().keySet());
  }

  @AfterEach
  void noThreadIsLeft() {
    await()
        .atMost(BrokerFixture.SOON)
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .allMatch(thread -> before.contains(thread) || isOfTheTest(thread)));
  }

  private static boolean isOfTheTest(Thread thread) {
    return thread.getName().startsWith("awaitility")
        || thread.getName().startsWith("ForkJoinPool.commonPool");
  }

  @Test
  @EnabledForJreRange(max = JRE.JAVA_20, disabledReason = "this Java has virtual threads")
  void virtualThreadsOnAJavaWithoutThem() throws Exception {
    try (KafkaFactory kafka =
        load(
            """
            kafka:
              common: { bootstrap-servers: "localhost:9092" }
              consumers: { c: { topics: [orders], group-id: g, handler-threads: virtual } }
            """)) {
      assertThatThrownBy(() -> kafka.createConsumer("c"))
          .isInstanceOf(InvalidDefinitionException.class)
          .hasMessageContaining("'handler-threads: virtual' needs Java 21 or newer, this is Java");
    }
  }

  @Test
  void aMissingFile() {
    assertThatThrownBy(() -> KafkaFactory.load(folder.resolve("nowhere.yaml")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("nowhere.yaml");
  }

  @Test
  void brokenYaml() {
    assertThatThrownBy(() -> load("kafka: { common: ["))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("kafka.yaml:1:");
  }

  @Test
  void anUnknownKeyAWrongTypeAndAnUnknownPropertyAllAtOnce() {
    assertThatThrownBy(
            () ->
                load(
                    """
                    kafka:
                      common: { bootstrap-servers: "localhost:9092" }
                      consumers:
                        c:
                          topics: [orders]
                          group-id: g
                          orderng: key
                          concurrency: many
                          properties: { fetch.min.byte: 1 }
                    """))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("kafka.yaml:7:7 consumers.c.orderng")
        .hasMessageContaining("did you mean 'ordering'?")
        .hasMessageContaining("kafka.yaml:8:")
        .hasMessageContaining("kafka.yaml:9:")
        .hasMessageContaining("did you mean 'fetch.min.bytes'?");
  }

  @Test
  void anUnknownNameIsAnsweredWithTheNamesThatExistNearestFirst() throws IOException {
    try (KafkaFactory kafka = load(SOUND.formatted(9))) {
      assertThatThrownBy(() -> kafka.createProducer("oder-producer"))
          .isInstanceOf(UnknownNameException.class)
          .hasMessage(
              "The configuration has no producer 'oder-producer'; its producers, nearest first:"
                  + " order-producer, refund-producer.");
      assertThatThrownBy(() -> kafka.createConsumer("order-producer"))
          .isInstanceOf(UnknownNameException.class)
          .hasMessage(
              "The configuration has no consumer 'order-producer'; its consumers, nearest first:"
                  + " order-consumer.");
    }
  }

  @Test
  void aBrokerThatRefuses() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    try (KafkaFactory kafka = load(SOUND.formatted(port))) {
      assertUnavailable(() -> kafka.createProducer("order-producer"), port);
      assertUnavailable(
          () -> kafka.createConsumer("order-consumer").subscribe((value, context) -> {}), port);
    }
  }

  @Test
  void aBrokerThatAcceptsAndNeverAnswers() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        KafkaFactory kafka = load(SOUND.formatted(silent.getLocalPort()))) {
      assertUnavailable(() -> kafka.createProducer("order-producer"), silent.getLocalPort());
      assertUnavailable(
          () -> kafka.createConsumer("order-consumer").subscribe((value, context) -> {}),
          silent.getLocalPort());
    }
  }

  @Test
  void aHostThatDoesNotExist() throws IOException {
    try (KafkaFactory kafka = load(SOUND.replace("127.0.0.1:%d", "no-such-host.invalid:9092"))) {
      assertThatThrownBy(() -> kafka.createProducer("order-producer"))
          .isInstanceOf(BrokerUnavailableException.class)
          .hasMessageContaining("no-such-host.invalid:9092");
    }
  }

  @Test
  void aSettingThatKeepsTheClientFromBeingMadeIsNoMissingBroker() throws IOException {
    try (KafkaFactory kafka =
        load(
            SOUND
                .formatted(9)
                .replace(
                    "topics: [refunds]",
                    "topics: [refunds], properties: { security.protocol: SSL, ssl.truststore.location: /no/such.jks }"))) {
      assertThatThrownBy(() -> kafka.createProducer("refund-producer"))
          .isInstanceOf(InvalidDefinitionException.class)
          .hasMessageContaining("Producer 'refund-producer'")
          .hasMessageContaining("/no/such.jks");
    }
  }

  @Test
  void aFormatThatCanNotHoldTheType() throws IOException {
    try (KafkaFactory kafka =
        load(SOUND.formatted(9).replace("topics: [refunds]", "topics: [refunds], format: bytes"))) {
      assertThatThrownBy(() -> kafka.createProducer("refund-producer", Integer.class))
          .isInstanceOf(InvalidDefinitionException.class)
          .hasMessageContaining("Producer 'refund-producer' has 'format: bytes'")
          .hasMessageContaining("java.lang.Integer");
    }
  }

  private KafkaFactory load(String yaml) throws IOException {
    return KafkaFactory.load(Files.writeString(folder.resolve("kafka.yaml"), yaml));
  }

  private static void assertUnavailable(ThrowingCallable call, int port) {
    long start = System.nanoTime();
    assertThatThrownBy(call)
        .isInstanceOf(BrokerUnavailableException.class)
        .hasMessageContaining(
            "no contact with a Kafka broker at 127.0.0.1:" + port + " within 500 ms")
        .hasMessageContaining("Check bootstrap-servers");
    // connect-timeout is half a second; the rest is a slow machine's.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
  }
}
