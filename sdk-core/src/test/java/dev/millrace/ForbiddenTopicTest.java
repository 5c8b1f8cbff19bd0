package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.ConsumerExplanation.Outage;
import dev.millrace.consumer.MessageConsumer;
import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.probe.TopicProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The topic that failed records go to is there, and the brokers forbid the consumer to write to it:
 * the others go on, nothing is lost or passed, and when it is allowed nothing needs a restart.
 */
class ForbiddenTopicTest {
  private static final int EACH = 30;

  private static KafkaCluster kafka;

  private final List<Case> cases = new ArrayList<>();

  @BeforeAll
  static void start() {
    kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .property(
                "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .property("allow.everyone.if.no.acl.found", "true")
            .start();
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @AfterEach
  void close() {
    cases.forEach(Case::close);
  }

  /** All at once: each waits for seconds. */
  @Test
  void theOthersGoOnAndItSaysWhyAndGoesOnByItself() throws Exception {
    cases.add(new Case("at-least-once", "dlq"));
    cases.add(new Case("exactly-once", "dlq"));
    cases.add(new Case("exactly-once", "retry.1"));
    for (Case each : cases) {
      each.deny();
      each.send(0, EACH);
    }
    cases.forEach(Case::start);
    cases.forEach(Case::awaitOutage);
    cases.forEach(each -> each.send(EACH, 2 * EACH));
    cases.forEach(Case::awaitOthers);
    cases.forEach(Case::note);
    cases.forEach(Case::awaitTryThatSpoilsNothing);
    for (Case each : cases) {
      each.allow();
    }
    cases.forEach(Case::awaitEnd);
  }

  /** One consumer, which may not write to one of its topics. */
  private static final class Case {
    private final String name;
    private final String semantics;
    private final boolean exactlyOnce;
    private final boolean isRetry;
    private final BrokerFixture broker;
    private final String out;
    private final String forbidden;
    private final String other;
    private final AclBinding denial;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Set<String> handled = new ConcurrentSkipListSet<>();
    private MessageConsumer consumer;
    private int failures;
    private double undone;

    Case(String semantics, String suffix) {
      this.name = semantics + "-" + suffix;
      this.semantics = semantics;
      this.exactlyOnce = semantics.equals("exactly-once");
      this.isRetry = suffix.startsWith("retry");
      this.broker = new BrokerFixture(kafka, name, "group-" + name);
      this.out = name + ".out";
      this.forbidden = broker.topic() + "." + broker.group() + "." + suffix;
      this.other = name + ".other";
      this.denial = acl(AclOperation.WRITE, AclPermissionType.DENY);
    }

    private AclBinding acl(AclOperation operation, AclPermissionType type) {
      return new AclBinding(
          new ResourcePattern(ResourceType.TOPIC, forbidden, PatternType.LITERAL),
          new AccessControlEntry("User:*", "*", operation, type));
    }

    void deny() throws Exception {
      broker.create(2);
      kafka.createTopic(out, 1);
      kafka.createTopic(other, 1);
      kafka.createTopic(forbidden, 2);
      AclBinding rest = acl(AclOperation.ALL, AclPermissionType.ALLOW);
      kafka.admin().createAcls(List.of(denial, rest)).all().get();
      // The brokers learn of it after the controller.
      await()
          .atMost(SOON)
          .until(() -> !kafka.admin().describeAcls(denial.toFilter()).values().get().isEmpty());
    }

    void allow() throws Exception {
      kafka.admin().deleteAcls(List.of(denial.toFilter())).all().get();
    }

    void start() {
      consumer =
          broker
              .factory(
                  """
                  kafka:
                    common: { bootstrap-servers: "${BROKERS}" }
                    consumers:
                      forbidden:
                        topics: ["${TOPIC}", "%s"]
                        group-id: ${GROUP}
                        delivery-semantics: %s
                        concurrency: 8
                        retry: { max-attempts: 1, topics: [%s] }
                        dead-letter: {}
                  """
                      .formatted(other, semantics, isRetry ? "10ms" : ""),
                  registry)
              .createConsumer("forbidden", String.class)
              .subscribe(
                  (value, context) -> {
                    if (isBad(value)) {
                      throw new IllegalStateException("never");
                    }
                    if (exactlyOnce) {
                      context.send(out, context.key(), value);
                    }
                    handled.add(value);
                  });
    }

    void awaitOutage() {
      await().atMost(SOON).until(() -> consumer.explain().deadLetterOutage().isPresent());
      assertThat(outage().topics()).as(name).containsExactly(forbidden);
      assertThat(outage().reason()).as(name).contains("Not authorized", forbidden);
    }

    void awaitOthers() {
      await().atMost(SOON).until(() -> handled.containsAll(good()));
      if (exactlyOnce) {
        await().atMost(SOON).until(() -> texts(out).size() == good().size());
      }
      assertThat(broker.committed(0) + broker.committed(1)).as(name).isLessThan(2 * EACH);
      assertThat(consumer.isHealthy()).as("%s: a restart would not help", name).isTrue();
    }

    void note() {
      failures = outage().failures();
      undone = undone();
    }

    /**
     * Exactly-once, no transaction is aborted any more to find out that it is forbidden; and what
     * goes to another topic, which may be written, does not end it.
     */
    void awaitTryThatSpoilsNothing() {
      int[] sent = {0};
      await()
          .atMost(SOON)
          .until(
              () -> {
                broker.send(new ProducerRecord<>(other, "k".getBytes(UTF_8), "3".getBytes(UTF_8)));
                sent[0]++;
                await().atMost(SOON).until(() -> texts(deadLettersOfOther()).size() == sent[0]);
                return outage().failures() > failures;
              });
      assertThat(undone()).as(name).isEqualTo(undone);
      assertThat(outage().topics()).as(name).containsExactly(forbidden);
      assertThat(outage().reason()).as(name).contains("Not authorized", forbidden);
    }

    void awaitEnd() {
      broker.awaitLagZero();
      await().atMost(SOON).until(() -> texts(broker.deadLetterTopic()).size() >= bad().size());
      assertThat(texts(broker.deadLetterTopic()))
          .as(name)
          .containsExactlyInAnyOrderElementsOf(bad());
      if (exactlyOnce) {
        assertThat(texts(out)).as(name).containsExactlyInAnyOrderElementsOf(good());
      }
      await().atMost(SOON).until(() -> consumer.explain().deadLetterOutage().isEmpty());
      assertThat(consumer.isHealthy()).as(name).isTrue();
    }

    private String deadLettersOfOther() {
      return other + "." + broker.group() + ".dlq";
    }

    private Outage outage() {
      return consumer.explain().deadLetterOutage().orElseThrow();
    }

    private double undone() {
      return exactlyOnce ? registry.get("millrace.consumer.undone").counter().count() : 0;
    }

    void send(int from, int to) {
      for (int n = from; n < to; n++) {
        broker.sendLater("k" + n, "v" + n);
      }
      broker.flush();
    }

    void close() {
      broker.close();
    }
  }

  /** One of ten. */
  private static boolean isBad(String value) {
    return value.endsWith("3");
  }

  private static List<String> good() {
    return all().stream().filter(value -> !isBad(value)).toList();
  }

  private static List<String> bad() {
    return all().stream().filter(ForbiddenTopicTest::isBad).toList();
  }

  private static List<String> all() {
    return IntStream.range(0, 2 * EACH).mapToObj(n -> "v" + n).toList();
  }

  private static List<String> texts(String topic) {
    return TopicProbe.of(kafka.bootstrapServers(), topic, IsolationLevel.READ_COMMITTED)
        .readAll()
        .stream()
        .map(record -> new String(record.value(), UTF_8))
        .toList();
  }
}
