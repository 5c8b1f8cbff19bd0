package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** The texts of problems are part of the API: whole reports are compared. */
class MistakesTest {
  private static final ConfigLoader LOADER =
      ConfigLoader.create()
          .environment(Map.of("CONCURRENCY", "s3cret"))
          .clientSettings(Report.SETTINGS);

  @Test
  void whereToBeginIsAWordOrADuration() {
    String place = "kafka.yaml:7:26 consumers.c.on-missing-offset: expected earliest, latest, fail";
    for (String text : new String[] {"erliest", "by-duration", "by-duration:0s", "latest:1h"}) {
      String hint =
          switch (text) {
            case "erliest" -> "; did you mean 'earliest'?";
            case "latest:1h" -> "; did you mean 'latest'?";
            default -> "; write it as in by-duration:24h, with 1ms to 87600h";
          };
      assertThat(Report.ofConsumer("on-missing-offset: " + text))
          .isEqualTo(place + " or by-duration:24h, found '" + text + "'" + hint);
    }
  }

  @Test
  void tenMistakesAreToldAtOnceEachWithItsLine() {
    String yaml =
        """
        kafka:
          common:
            bootstrap-servers: [broker-1:9092, broker-2:99999]
            properties:
              compression.type: zstd
          defaults:
            consumers:
              commit-interval: 200
          producers:
            order-producer:
              topics: [orders]
              delivery-semantics: at-least-onec
              properties:
                lingr.ms: 5
            audit-producer:
              delivery-semantics: exactly-once
              properties:
                acks: 1
          consumers:
            order-consumer:
              topics: [orders]
              group-id: ${GROUP}
              orderng: key
              concurrency: ${CONCURRENCY}
              dead-letter:
        """;

    assertThat(Report.exception(LOADER, "kafka.yaml", yaml))
        .hasMessage(
            """
            10 problems in kafka.yaml
              kafka.yaml:3:40 common.bootstrap-servers[1]: expected host:port with a port from 1 to 65535, found 'broker-2:99999'; write it as in broker-1:9092
              kafka.yaml:5:7 common.properties.compression.type: is a setting of producers only; write it under 'defaults.producers.properties'
              kafka.yaml:8:24 defaults.consumers.commit-interval: expected a duration from 10ms to 1h, found 200; add a unit: ms, s, m or h
              kafka.yaml:12:27 producers.order-producer.delivery-semantics: expected one of at-most-once, at-least-once, exactly-once, found 'at-least-onec'; did you mean 'at-least-once'?
              kafka.yaml:14:9 producers.order-producer.properties.lingr.ms: is not a setting of Kafka's producers; did you mean 'linger.ms'?
              kafka.yaml:18:15 producers.audit-producer.properties.acks: 1 contradicts delivery-semantics exactly-once (line 16); change one of them
              kafka.yaml:22:17 consumers.order-consumer.group-id: '${GROUP}' is not defined; define it, or write ${GROUP:default}
              kafka.yaml:23:7 consumers.order-consumer.orderng: unknown key; did you mean 'ordering'?
              kafka.yaml:24:20 consumers.order-consumer.concurrency: expected a whole number from 1 to 100000, found the value of '${CONCURRENCY}'; look at what the placeholder is set to
              kafka.yaml:25:7 consumers.order-consumer.dead-letter: has no value; write {} for the defaults or remove the line
            """
                .stripTrailing());
  }

  @Test
  void problemsOfJsonAreLocatedToo() {
    String json =
        """
        {"Kafka": {
          "Common": {"BootstrapServers": "localhost"},
          "Consumers": [
            {"Name": "Orders", "Topics": [], "GroupId": "g", "ChannelCapacity": "a lot"},
            {"Name": "Orders", "Topics": ["t"]},
            {"Topics": ["t"], "GroupId": null}
          ]
        }}
        """;

    assertThat(Report.of(LOADER, "kafka.json", json))
        .isEqualTo(
            """
            kafka.json:2:34 Common.BootstrapServers: expected host:port with a port from 1 to 65535, found 'localhost'; write it as in broker-1:9092
            kafka.json:4:24 Consumers[0].Topics: is empty; write the topics it reads
            kafka.json:4:73 Consumers[0].ChannelCapacity: expected a whole number from 1 to 10000000, found 'a lot'; write digits only
            kafka.json:5:14 Consumers[1].Name: 'Orders' is the name of two entries, first in line 4
            kafka.json:6:5 Consumers[2]: the entry has no 'name'
            kafka.json:6:23 Consumers[2].GroupId: has no value; write a value or remove the line\
            """
                .stripTrailing());
  }

  @Test
  void aTransactionOutOfItsBoundsIsRefused() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: "a:1", instance-id: "a b" }
                  producers:
                    p: { transaction: { id-prefix: "", slots: 65, timeout: 10ms, acquire-timeout: 2h } }
                """))
        .isEqualTo(
            """
            kafka.yaml:2:52 common.instance-id: expected a name (1 to 249 of a-z A-Z 0-9 . _ -), found 'a b'
            kafka.yaml:4:36 producers.p.transaction.id-prefix: expected a name (1 to 249 of a-z A-Z 0-9 . _ -), found ''
            kafka.yaml:4:47 producers.p.transaction.slots: expected a whole number from 1 to 64, found 65
            kafka.yaml:4:60 producers.p.transaction.timeout: expected a duration from 1s to 24h, found '10ms'
            kafka.yaml:4:83 producers.p.transaction.acquire-timeout: expected a duration from 0ms to 1h, found '2h'""");
  }

  @Test
  void aValueOfTheWrongKindIsNamedWithWhatIsExpected() {
    assertThat(
            Report.ofConsumer(
                """
                concurrency: 0
                channel-capacity: [5]
                channel-bytes: 64XB
                ordering: keys
                retry: often
                batch: { max-records: 0, max-wait: 2m }
                dead-letter: { enabled: maybe, topic: { name: x } }
                commit-interval: 1ms
                drain-timeout: soon
                """))
        .isEqualTo(
            """
            kafka.yaml:7:20 consumers.c.concurrency: expected a whole number from 1 to 100000, found 0
            kafka.yaml:8:7 consumers.c.channel-capacity: expected a whole number from 1 to 10000000, found a list
            kafka.yaml:9:22 consumers.c.channel-bytes: expected a size from 1B to 1024GB, found '64XB'; write it as in 512KB, 64MB, 1GB or as a number of bytes
            kafka.yaml:10:17 consumers.c.ordering: expected one of key, partition, unordered, found 'keys'; did you mean 'key'?
            kafka.yaml:11:14 consumers.c.retry: expected an object, found 'often'; known keys: max-attempts, max-duration, backoff, retryable, non-retryable, topics, topic-names, create-topics, keep-key-order
            kafka.yaml:12:29 consumers.c.batch.max-records: expected a whole number from 1 to 1000000, found 0
            kafka.yaml:12:42 consumers.c.batch.max-wait: expected a duration from 0ms to 1m, found '2m'
            kafka.yaml:13:31 consumers.c.dead-letter.enabled: expected true or false, found 'maybe'
            kafka.yaml:13:38 consumers.c.dead-letter.topic: expected a topic name (1 to 249 of a-z A-Z 0-9 . _ -), found an object
            kafka.yaml:14:24 consumers.c.commit-interval: expected a duration from 10ms to 1h, found '1ms'
            kafka.yaml:15:22 consumers.c.drain-timeout: expected a duration from 0ms to 1h, found 'soon'; write it as in 100ms, 5s, 1m, 2h or PT5S\
            """);
  }

  @Test
  void aWordInThePlaceOfAnObjectIsNamedWithWhatToWriteInstead() {
    assertThat(
            Report.ofConsumer(
                """
                dead-letter: true
                idempotency: "false"
                circuitBreaker: False
                rate-limit: 100
                batch: true
                handler-watchdog: [1m]
                """))
        .isEqualTo(
            """
            kafka.yaml:3:5 consumers.c.rate-limit.records: is missing; write how many records may start within 'per', such as 'rate-limit: { records: 100, per: 1s }'
            kafka.yaml:7:20 consumers.c.dead-letter: expected an object, found true; write 'dead-letter: {}', if need be with its keys: enabled, topic, create-topic, oversize
            kafka.yaml:8:20 consumers.c.idempotency: expected an object, found 'false'; remove it, or write 'idempotency: { enabled: false }' where 'defaults' say it
            kafka.yaml:9:23 consumers.c.circuitBreaker: expected an object, found False; remove it, or write 'circuitBreaker: { enabled: false }' where 'defaults' say it
            kafka.yaml:10:19 consumers.c.rate-limit: expected an object, found 100; known keys: enabled, records, per
            kafka.yaml:11:14 consumers.c.batch: expected an object, found true; known keys: max-records, max-wait
            kafka.yaml:12:7 consumers.c.handler-watchdog: expected an object, found a list; known keys: after, policy\
            """);
    assertThat(
            Report.ofYaml("kafka: { common: true, producers: 1, consumers: { c: { retry: {} } } }"))
        .contains("common: expected an object, found true; known keys: bootstrap-servers, ")
        .contains("producers: expected an object, found 1; write each under its name");
  }

  /** Neither the value nor what it is like. */
  @Test
  void aPlaceholderInThePlaceOfAnObjectIsNotShown() {
    String yaml = Report.consumer("dead-letter: ${DLQ}");
    String on = Report.of(LOADER.environment(Map.of("DLQ", "true")), "k", yaml);

    assertThat(on)
        .isEqualTo(
            "k:7:20 consumers.c.dead-letter: expected an object, found the value of '${DLQ}'; known keys: enabled, topic, create-topic, oversize")
        .isEqualTo(Report.of(LOADER.environment(Map.of("DLQ", "false")), "k", yaml));
  }

  @Test
  void valuesThatDoNotFitTogetherAreNamedWithBothLines() {
    assertThat(
            Report.ofConsumer(
                """
                concurrency: 64
                channel-capacity: 10
                retry: { backoff: { initial: 2s, max: 1s } }
                dead-letter: { topic: t }
                """))
        .isEqualTo(
            """
            kafka.yaml:8:25 consumers.c.channel-capacity: is less than concurrency 64 (line 7)
            kafka.yaml:9:45 consumers.c.retry.backoff.max: is less than initial 2s (line 9)
            kafka.yaml:10:29 consumers.c.dead-letter.topic: is a topic this consumer reads itself\
            """);
    assertThat(Report.ofConsumer("channel-capacity: 10\nretry: { backoff: { initial: 1m } }"))
        .isEqualTo(
            """
            kafka.yaml:7:25 consumers.c.channel-capacity: is less than concurrency 16 (the default)
            kafka.yaml:8:36 consumers.c.retry.backoff.initial: is longer than max 5000ms (the default); write max as well\
            """);
    assertThat(Report.ofConsumer("channel-capacity: 100\nbatch: { max-records: 101 }"))
        .isEqualTo(
            "kafka.yaml:8:29 consumers.c.batch.max-records: is more than channel-capacity 100 (line"
                + " 7)");
  }

  @Test
  void aLaneForRecordsWithoutAKeyNeedsTheOrderOfKeys() {
    for (String ordering : new String[] {"partition", "unordered"}) {
      assertThat(Report.ofConsumer("ordering: " + ordering + "\nkeyless-records: lane"))
          .isEqualTo(
              "kafka.yaml:8:24 consumers.c.keyless-records: lane is of no use under ordering "
                  + ordering
                  + " (line 7); remove it, or write 'spread' where a default says lane");
    }
    assertThat(Report.ofConsumer("ordering: keys\nkeyless-records: lane"))
        .isEqualTo(
            "kafka.yaml:7:17 consumers.c.ordering: expected one of key, partition, unordered, found"
                + " 'keys'; did you mean 'key'?");
  }

  @Test
  void instancesNeedAPermitEachAndRoomForABatch() {
    assertThat(Report.ofConsumer("instances: 65"))
        .isEqualTo(
            "kafka.yaml:7:18 consumers.c.instances: expected a whole number from 1 to 64, found"
                + " 65");
    assertThat(Report.ofConsumer("instances: 17"))
        .isEqualTo(
            "kafka.yaml:7:18 consumers.c.instances: is more than concurrency 16 (the default),"
                + " which they divide; raise concurrency, or write fewer instances");
    assertThat(Report.ofConsumer("instances: 4\nconcurrency: 3"))
        .isEqualTo(
            "kafka.yaml:7:18 consumers.c.instances: is more than concurrency 3 (line 8), which they"
                + " divide; raise concurrency, or write fewer instances");
    assertThat(Report.ofConsumer("instances: 4\nchannel-capacity: 100\nbatch: { max-records: 26 }"))
        .isEqualTo(
            "kafka.yaml:9:29 consumers.c.batch.max-records: is more than channel-capacity 100 (line"
                + " 8) has for each of instances 4 (line 7)");
  }

  @Test
  void whatIsMissingIsToldAtItsEntry() {
    assertThat(Report.ofYaml("kafka:\n  producers:\n    p: {}\n  consumers:\n    c: {}"))
        .isEqualTo(
            """
            kafka.yaml:3:5 producers.p.bootstrap-servers: is missing; write host:port here or under 'common'
            kafka.yaml:5:5 consumers.c.bootstrap-servers: is missing; write host:port here or under 'common'
            kafka.yaml:5:5 consumers.c.group-id: is missing; write the consumer group's name
            kafka.yaml:5:5 consumers.c.topics: is missing; write the topics it reads, or 'topics-pattern' or 'partitions'\
            """);
  }

  @Test
  void oneProblemOfAnEntryHidesNoOther() {
    assertThat(Report.ofYaml("kafka: { producers: { p: { properties: { acks: 1 } } } }"))
        .isEqualTo(
            """
            kafka.yaml:1:23 producers.p.bootstrap-servers: is missing; write host:port here or under 'common'
            kafka.yaml:1:48 producers.p.properties.acks: 1 contradicts delivery-semantics at-least-once (the default); change one of them\
            """);
  }

  @Test
  void twoSpellingsOfOneKeyAndAKeyWrittenTwiceAreNamedWithBothLines() {
    assertThat(Report.ofConsumer("commit-interval: 1s\ncommitInterval: 2s\ngroup-id: h"))
        .isEqualTo(
            """
            kafka.yaml:8:7 consumers.c.commitInterval: is the same key as 'commit-interval' in line 7; keep one of them
            kafka.yaml:9:7 consumers.c.group-id: is written twice, first in line 6\
            """);
    assertThat(Report.ofYaml("kafka: {}\nKafka: {}"))
        .isEqualTo("kafka.yaml:2:1 kafka: is written twice, first in line 1");
  }

  @Test
  void aPromiseThatASettingBreaksIsRefused() {
    assertThat(
            Report.ofProducer(
                "topics: [t]\ndelivery-semantics: at-most-once\nproperties: { retries: 10 }"))
        .contains("10 contradicts delivery-semantics at-most-once");
  }

  @Test
  void aDeadLetterTopicNeedsAPossibleNameOfItsOwn() {
    String consumer =
        "kafka: { consumers: { c: { bootstrap-servers: 'a:1', dead-letter: {}, group-id: %s,"
            + " topics: %s } } }";
    assertThat(Report.ofYaml(consumer.formatted("team/orders", "[t]")))
        .isEqualTo(
            "kafka.yaml:1:81 consumers.c.group-id: makes a dead-letter topic that can't have its"
                + " name, {topic}.{group-id}.dlq; write 'dead-letter.topic', or a group-id of a-z"
                + " A-Z 0-9 . _ -");
    assertThat(Report.ofYaml(consumer.formatted("g", "[t, t.g.dlq]")))
        .isEqualTo(
            "kafka.yaml:1:84 consumers.c.topics: holds the dead-letter topic of t; write"
                + " 'dead-letter.topic', or read it by a consumer of its own");
  }

  @Test
  void aWatchdogThatGivesRecordsUpNeedsADeadLetterTopic() {
    assertThat(
            Report.ofYaml(
                "kafka: { consumers: { c: { bootstrap-servers: 'a:1', group-id: g, topics: t,"
                    + " handler-watchdog: { policy: dead-letter } } } }"))
        .isEqualTo(
            "kafka.yaml:1:106 consumers.c.handler-watchdog.policy: dead-letter has no topic to go"
                + " to; write 'dead-letter: {}' for this consumer, or another policy");
  }

  @Test
  void topicsAreCheckedOneByOne() {
    assertThat(Report.ofProducer("topics: [a, b, a, .., '']"))
        .isEqualTo(
            """
            kafka.yaml:5:22 producers.p.topics[2]: 'a' is already in the list
            kafka.yaml:5:25 producers.p.topics[3]: expected a topic name (1 to 249 of a-z A-Z 0-9 . _ -), found '..'
            kafka.yaml:5:29 producers.p.topics[4]: expected a topic name (1 to 249 of a-z A-Z 0-9 . _ -), found ''\
            """);
  }

  @Test
  void anUnknownKeyHasAHintInAnyCase() {
    assertThat(Report.ofProducer("linger.ms: 5\ngroup: g\nformatt: json"))
        .isEqualTo(
            """
            kafka.yaml:5:7 producers.p.linger.ms: unknown key; Kafka's own settings go under 'properties'
            kafka.yaml:6:7 producers.p.group: unknown key; known keys: bootstrap-servers, delivery-semantics, format, profile, properties, enable-idempotence, instances, idle-eviction, max-in-flight-records, max-in-flight-bytes, when-full, transaction, name, topics
            kafka.yaml:7:7 producers.p.formatt: unknown key; did you mean 'format'?\
            """);
    assertThat(
            Report.of(
                LOADER, "k", "kafka: { producers: { p: { acks: 1, bootstrap-servers: a:1 }}}"))
        .isEqualTo(
            "k:1:28 producers.p.acks: unknown key; Kafka's own settings go under 'properties'");
  }

  @Test
  void aMissingRootIsExplained() {
    assertThat(Report.ofYaml("server: {port: 1}\nkafak: {}"))
        .isEqualTo(
            "kafka.yaml:2:1: the top-level key 'kafka' is missing; is 'kafak' meant to be it?");
    assertThat(Report.ofYaml("producers: {}"))
        .isEqualTo(
            "kafka.yaml:1:1: the top-level key 'kafka' is missing;"
                + " write 'kafka:' above all and indent the rest");
    assertThat(Report.ofYaml("server: {}"))
        .isEqualTo("kafka.yaml:1:1: the top-level key 'kafka' is missing");
    assertThat(Report.ofYaml("kafka:"))
        .isEqualTo(
            "kafka.yaml:1:1 kafka: has no value; write {} for the defaults or remove the line");
    assertThat(Report.ofYaml("[kafka]"))
        .isEqualTo("kafka.yaml:1:1: expected an object with the key 'kafka', found a list");
    assertThat(Report.ofYaml("# nothing"))
        .isEqualTo("kafka.yaml: the file is empty; it needs the top-level key 'kafka'");
  }

  @Test
  void brokenSyntaxIsOneProblemWithItsPosition() {
    assertThat(Report.ofYaml("kafka:\n  common: {\n  producers"))
        .isEqualTo("kafka.yaml:3:12: cannot be parsed: expected ',' or '}', but got <stream end>");
    assertThat(Report.of(LOADER, "kafka.json", "{\"kafka\": {\n  \"common\": 1,}}"))
        .startsWith("kafka.json:2:15: cannot be parsed: Unexpected character ('}'");
    assertThat(Report.ofYaml("kafka: {}\n---\nkafka: {}"))
        .isEqualTo("kafka.yaml:3:1: more text after the end of the document");
  }

  @Test
  void aDefaultIsReportedOnceWhereItStandsHoweverManyEntriesShareIt() {
    assertThat(
            Report.ofYaml(
                """
                kafka:
                  common: { bootstrap-servers: a:1 }
                  defaults: { producers: { format: xml, topics: [t] } }
                  producers: { p: {}, q: {} }
                """))
        .isEqualTo(
            """
            kafka.yaml:3:36 defaults.producers.format: expected one of auto, json, string, bytes, found 'xml'
            kafka.yaml:3:41 defaults.producers.topics: unknown key; known keys: bootstrap-servers, delivery-semantics, format, profile, properties, enable-idempotence, instances, idle-eviction, max-in-flight-records, max-in-flight-bytes, when-full, transaction\
            """);
  }
}
