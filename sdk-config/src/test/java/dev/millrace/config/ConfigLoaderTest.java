package dev.millrace.config;

import static dev.millrace.config.Report.consumer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
  private static final ConfigLoader LOADER = ConfigLoader.create().environment(Map.of());

  private static final String QUICKSTART =
      """
      kafka:
        common:
          bootstrap-servers: ${KAFKA_BOOTSTRAP:localhost:9092}
          service-name: order-service
        producers:
          order-producer: { topics: [orders], delivery-semantics: at-least-once }
        consumers:
          order-consumer:
            topics: [orders]
            group-id: order-service
            delivery-semantics: at-least-once
            ordering: key
            concurrency: 64
            retry: { max-attempts: 4, backoff: { initial: 100ms, multiplier: 2, max: 5s, jitter: 0.2 } }
            dead-letter: {}
      """;

  private static final String PASCAL_CASE_JSON =
      """
      {"Kafka":{"Common":{"BootstrapServers":"localhost:9092","ServiceShortName":"my-service"},\
      "Producers":[{"Name":"OrderProducer","Topics":["orders"],"DeliverySemantics":"AtLeastOnce",\
      "EnableIdempotence":true}],"Consumers":[{"Name":"OrderConsumer",\
      "GroupId":"order-processing-group","Topics":["orders"],"DeliverySemantics":"AtLeastOnce",\
      "ChannelCapacity":1000}]}}
      """;

  @Test
  void loadsTheQuickstart() {
    KafkaConfig config = LOADER.parse("kafka.yaml", QUICKSTART);

    assertThat(config.common())
        .isEqualTo(
            new CommonDefinition(
                List.of("localhost:9092"),
                "order-service",
                null,
                Duration.ofSeconds(10),
                Map.of()));
    assertThat(config.producers())
        .containsExactly(
            Map.entry(
                "order-producer",
                new ProducerDefinition(
                    "order-producer",
                    List.of("localhost:9092"),
                    List.of("orders"),
                    DeliverySemantics.AT_LEAST_ONCE,
                    null,
                    Format.AUTO,
                    TuningProfile.BALANCED,
                    new TransactionDefinition(
                        null, 4, Duration.ofMinutes(1), Duration.ofSeconds(10)),
                    new PoolDefinition(
                        1, Duration.ofMinutes(10), new InFlightDefinition(0, 0, WhenFull.BLOCK)),
                    Map.of())));
    assertThat(config.consumers())
        .containsExactly(
            Map.entry(
                "order-consumer",
                new ConsumerDefinition(
                    "order-consumer",
                    List.of("localhost:9092"),
                    Subscription.toTopics("orders"),
                    "order-service",
                    ConsumerMode.GROUP,
                    new GroupMembership(GroupProtocol.CLASSIC, null),
                    new MissingOffset(MissingOffset.Start.EARLIEST),
                    DeliverySemantics.AT_LEAST_ONCE,
                    Ordering.KEY,
                    KeylessRecords.SPREAD,
                    64,
                    1,
                    HandlerThreads.PLATFORM,
                    2128,
                    64L * 1024 * 1024,
                    Format.AUTO,
                    TuningProfile.BALANCED,
                    new RetryDefinition(
                        4,
                        new BackoffDefinition(
                            Duration.ofMillis(100), 2, Duration.ofSeconds(5), 0.2)),
                    new DeadLetterDefinition(null, true, Oversize.STOP),
                    FailurePolicy.STOP,
                    new HandlerWatchdogDefinition(Duration.ofMinutes(1), WatchdogPolicy.WARN),
                    new BatchDefinition(500, Duration.ofMillis(100)),
                    new ConsumerTransactionDefinition(null, 2, Duration.ofSeconds(10)),
                    null,
                    null,
                    null,
                    Duration.ofMillis(100),
                    0,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(30),
                    Duration.ofMinutes(1),
                    Map.of())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"appsettings.json", "appsettings.yaml", "appsettings"})
  void loadsPascalCaseJsonWithListsOfEntries(String source) {
    KafkaConfig config = LOADER.parse(source, PASCAL_CASE_JSON);

    assertThat(config.common().serviceName()).isEqualTo("my-service");
    ProducerDefinition producer = Objects.requireNonNull(config.producers().get("OrderProducer"));
    assertThat(producer.bootstrapServers()).containsExactly("localhost:9092");
    assertThat(producer.enableIdempotence()).isTrue();
    ConsumerDefinition consumer = Objects.requireNonNull(config.consumers().get("OrderConsumer"));
    assertThat(consumer.groupId()).isEqualTo("order-processing-group");
    assertThat(consumer.channelCapacity()).isEqualTo(1000);
  }

  @ParameterizedTest
  @CsvSource({
    "earliest, EARLIEST, PT0S",
    "Latest, LATEST, PT0S",
    "FAIL, FAIL, PT0S",
    "by-duration:24h, BY_DURATION, PT24H",
    "byDuration:PT5M, BY_DURATION, PT5M",
    "'\"by_duration: 90s\"', BY_DURATION, PT90S"
  })
  void readsWhereToBeginWithoutAnOffset(String text, MissingOffset.Start start, Duration back) {
    assertThat(load("on-missing-offset: " + text).onMissingOffset())
        .isEqualTo(new MissingOffset(start, back));
  }

  @Test
  void aConsumerNeedsThreeKeysAndTheRestHasDefaults() {
    ConsumerDefinition consumer = load("");

    assertThat(consumer.concurrency()).isEqualTo(16);
    assertThat(consumer.instances()).isEqualTo(1);
    assertThat(consumer.keylessRecords()).isEqualTo(KeylessRecords.SPREAD);
    assertThat(consumer.channelCapacity()).isEqualTo(2032);
    assertThat(consumer.deadLetter()).isNull();
    assertThat(consumer.retry().maxAttempts()).isEqualTo(4);
    assertThat(load("concurrency: 1000").channelCapacity()).isEqualTo(4000);
    assertThat(load("keylessRecords: lane").keylessRecords()).isEqualTo(KeylessRecords.LANE);
    assertThat(load("commit-records: 500").commitRecords()).isEqualTo(500);
  }

  @Test
  void instancesDivideWhatTheConsumerHas() {
    ConsumerDefinition consumer =
        load(
            """
            instances: 3
            concurrency: 8
            channel-capacity: 100
            channel-bytes: 10
            group-instance-id: shop
            properties: { client.id: me, fetch.min.bytes: 5 }
            """);
    List<ConsumerDefinition> each = consumer.perInstance();

    assertThat(each).extracting(ConsumerDefinition::name).containsExactly("c-1", "c-2", "c-3");
    assertThat(each).extracting(ConsumerDefinition::concurrency).containsExactly(3, 3, 2);
    assertThat(each).extracting(ConsumerDefinition::channelCapacity).containsExactly(34, 33, 33);
    assertThat(each).extracting(ConsumerDefinition::channelBytes).containsExactly(4L, 3L, 3L);
    assertThat(each).extracting(ConsumerDefinition::instances).containsOnly(1);
    assertThat(each.get(1).membership().instanceId()).isEqualTo("shop-2");
    assertThat(each.get(1).properties())
        .isEqualTo(Map.of("client.id", "me-2", "fetch.min.bytes", "5"));
    assertThat(each.get(1).groupId()).isEqualTo(consumer.groupId());
    assertThat(load("").perInstance()).containsExactly(load(""));
  }

  @Test
  void eachInstanceHasTheRoomThatOneConsumerHas() {
    assertThat(load("instances: 3").channelCapacity()).isEqualTo(6032);
    assertThat(load("instances: 3\nconcurrency: 6000").channelCapacity()).isEqualTo(18_000);
    assertThat(load("instances: 3\nchannel-bytes: 2").perInstance().get(2).channelBytes())
        .isEqualTo(1);
  }

  @Test
  void batchesAreReadAndTheChannelHasRoomForFour() {
    ConsumerDefinition consumer = load("batch: { max-records: 3000, maxWait: 0ms }");

    assertThat(consumer.batch()).isEqualTo(new BatchDefinition(3000, Duration.ZERO));
    assertThat(consumer.channelCapacity()).isEqualTo(12_032);
    assertThat(load("batch: { max-wait: 1s }").batch())
        .isEqualTo(new BatchDefinition(500, Duration.ofSeconds(1)));
    assertThat(load("channel-capacity: 100").batch().maxRecords()).isEqualTo(500);
  }

  @Test
  void transactionsAreReadKeyByKeyOverTheDefaults() {
    KafkaConfig config =
        LOADER.parse(
            "k",
            """
            kafka:
              common: { bootstrap-servers: "a:1", instance-id: order-service-0 }
              defaults: { producers: { transaction: { slots: 8, timeout: 5m } } }
              producers:
                p: { transaction: { id-prefix: orders, slots: 2, acquire-timeout: 0ms } }
            """);

    assertThat(config.common().instanceId()).isEqualTo("order-service-0");
    assertThat(config.producers().get("p"))
        .extracting(ProducerDefinition::transaction)
        .isEqualTo(new TransactionDefinition("orders", 2, Duration.ofMinutes(5), Duration.ZERO));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "delivery-semantics: exactly-once",
        "deliverySemantics: exactlyOnce",
        "DeliverySemantics: ExactlyOnce",
        "delivery_semantics: EXACTLY_ONCE"
      })
  void keysAndWordsMatchInEveryCase(String line) {
    assertThat(load(line).deliverySemantics()).isEqualTo(DeliverySemantics.EXACTLY_ONCE);
  }

  @Test
  void namesOfEntriesAndOfClientSettingsStayAsWritten() {
    KafkaConfig config =
        LOADER.parse(
            "k",
            """
            KAFKA:
              Common: { BootstrapServers: "a:1" }
              Producers:
                Order_Producer: { Properties: { My.Setting-Name: 1, my.setting_name: x } }
                order-producer: {}
            """);

    assertThat(config.producers()).containsOnlyKeys("Order_Producer", "order-producer");
    assertThat(config.producers().get("Order_Producer"))
        .extracting(ProducerDefinition::properties)
        .isEqualTo(Map.of("My.Setting-Name", "1", "my.setting_name", "x"));
  }

  @ParameterizedTest
  @CsvSource({
    "100ms, PT0.1S",
    "5s, PT5S",
    "1m, PT1M",
    "'1 h', PT1H",
    "PT5S, PT5S",
    "PT0S, PT0S",
    "0ms, PT0S"
  })
  void durationsHaveAUnit(String text, Duration expected) {
    assertThat(load("drain-timeout: " + text).drainTimeout()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"512KB, 524288", "64mb, 67108864", "1 GB, 1073741824", "5B, 5", "77, 77"})
  void sizesCountInStepsOf1024(String text, long expected) {
    assertThat(load("channel-bytes: " + text).channelBytes()).isEqualTo(expected);
  }

  @Test
  void quotedNumbersAndBooleansCount() {
    ConsumerDefinition consumer =
        load(
            """
            concurrency: "5"
            retry: { backoff: { multiplier: "1.5" } }
            dead-letter: { create-topic: "false", topic: dead }
            """);

    assertThat(consumer.concurrency()).isEqualTo(5);
    assertThat(consumer.retry().backoff().multiplier()).isEqualTo(1.5);
    assertThat(consumer.deadLetter())
        .isEqualTo(new DeadLetterDefinition("dead", false, Oversize.STOP));
  }

  @Test
  void aDeadLetterCanBeSwitchedOff() {
    assertThat(load("dead-letter: { enabled: false, topic: x }").deadLetter()).isNull();
  }

  @Test
  void theWatchdogWarnsUnlessToldOtherwise() {
    assertThat(load("handler-watchdog: { after: 5m }").handlerWatchdog())
        .isEqualTo(new HandlerWatchdogDefinition(Duration.ofMinutes(5), WatchdogPolicy.WARN));
    assertThat(load("handler-watchdog: { policy: deadLetter }\ndead-letter: {}").handlerWatchdog())
        .isEqualTo(
            new HandlerWatchdogDefinition(Duration.ofMinutes(1), WatchdogPolicy.DEAD_LETTER));
  }

  @Test
  void readsHowAProducersHandlesShareItsClients() {
    assertThat(
            pool(
                "instances: 16\nidleEviction: 0ms\nmax-in-flight-records: 1000\n"
                    + "max-in-flight-bytes: 1MB\nwhen-full: drop"))
        .isEqualTo(
            new PoolDefinition(
                16, Duration.ZERO, new InFlightDefinition(1000, 1 << 20, WhenFull.DROP)));
    assertThat(pool("format: json")).isEqualTo(PoolDefinition.defaults());
    assertThat(Report.ofProducer("instances: 17"))
        .contains("producers.p.instances: expected a whole number from 1 to 16, found 17");
  }

  @Test
  void listsMayBeTextWithCommas() {
    ProducerDefinition producer =
        Objects.requireNonNull(
            LOADER
                .parse(
                    "k",
                    "kafka: { common: { bootstrap-servers: 'a:1, [::1]:2' },"
                        + " producers: { p: { topics: 'x,y' } } }")
                .producers()
                .get("p"));
    assertThat(producer.bootstrapServers()).containsExactly("a:1", "[::1]:2");
    assertThat(producer.topics()).containsExactly("x", "y");
  }

  @Test
  void otherTopLevelKeysBelongToOtherPrograms() {
    KafkaConfig config =
        LOADER.parse("k", "spring: &a { x: '${nope}', x: 1 }\ny: *a\nkafka: {}\nlogging:\n");

    assertThat(config.consumers()).isEmpty();
  }

  @Test
  void readsFilesByTheirEnding(@TempDir Path folder) throws IOException {
    Path yaml = Files.writeString(folder.resolve("kafka.yaml"), "\uFEFF" + QUICKSTART);
    Path json = Files.writeString(folder.resolve("kafka.json"), PASCAL_CASE_JSON);

    assertThat(KafkaConfig.load(yaml).consumers()).containsOnlyKeys("order-consumer");
    assertThat(KafkaConfig.load(json).consumers()).containsOnlyKeys("OrderConsumer");
  }

  @Test
  void whatIsNoConfigFileIsToldInPlainWords(@TempDir Path folder) throws IOException {
    Path missing = folder.resolve("nope.yaml");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, 0, 1});
    Path utf16 =
        Files.write(folder.resolve("utf16.yaml"), "kafka".getBytes(StandardCharsets.UTF_16));
    Path control = Files.writeString(folder.resolve("control"), "kafka: {}\n  \0");
    Path large = Files.write(folder.resolve("large"), new byte[(1 << 20) + 1]);

    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> LOADER.load(missing, folder, binary, utf16, control, large))
        .withMessage(
            "6 problems in %1$s/nope.yaml, %1$s, %1$s/binary, %1$s/utf16.yaml, %1$s/control, %1$s/large\n"
                    .formatted(folder)
                + """
                %1$s/nope.yaml: the file does not exist
                %1$s: the file is a directory, not a file
                %1$s/binary: the file is not a text file in UTF-8
                %1$s/utf16.yaml: the file is not a text file in UTF-8
                %1$s/control:2:3: a control character (\\u0000); is this a text file?
                %1$s/large: the file is larger than 1 MiB\
                """
                    .formatted(folder)
                    .indent(2)
                    .stripTrailing());
    assertThatIllegalArgumentException().isThrownBy(LOADER::load);
  }

  private static ConsumerDefinition load(String lines) {
    ConsumerDefinition consumer =
        Objects.requireNonNull(LOADER.parse("k", consumer(lines)).consumers().get("c"));
    return consumer;
  }

  private static PoolDefinition pool(String lines) {
    String text = "kafka:\n  producers:\n    p:\n      bootstrap-servers: a:1\n" + lines.indent(6);
    return Objects.requireNonNull(LOADER.parse("k", text).producers().get("p")).pool();
  }
}
