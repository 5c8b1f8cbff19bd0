package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.TestKitException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SecurityTest {
  private static final String SECRET = "s\"e\\c r;e,t=]";

  private KafkaCluster kafka;

  @BeforeAll
  void start() {
    kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.EMBEDDED)
            .tls()
            .user("alice", SECRET, SaslMechanism.SCRAM_SHA_512)
            .user("bob.b_o-b", SECRET, SaslMechanism.PLAIN)
            .user("carol", SECRET, SaslMechanism.SCRAM_SHA_256)
            .acls()
            .start();
  }

  @AfterAll
  void close() {
    kafka.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "bob.b_o-b", "carol"})
  void letsInWhoHasTheRightPassword(String user) throws Exception {
    Map<String, Object> properties = kafka.clientProperties(user);

    assertThat(properties).containsEntry("security.protocol", "SASL_SSL");
    try (Admin client = Admin.create(properties)) {
      assertThat(client.describeCluster().nodes().get()).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "bob.b_o-b", "carol"})
  void keepsOutWhoHasNot(String user) {
    Map<String, Object> properties = new HashMap<>(kafka.clientProperties(user));
    Password right = (Password) properties.get("sasl.jaas.config");
    properties.put("sasl.jaas.config", new Password(right.value().replace("c r", "c-r")));

    try (Admin client = Admin.create(properties)) {
      assertThatThrownBy(() -> client.describeCluster().nodes().get())
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(SaslAuthenticationException.class);
    }
  }

  @Test
  void aUserMayDoWhatWasGrantedAndNothingElse() throws Exception {
    kafka.createTopic("guarded", 1);
    ProducerRecord<String, String> record = new ProducerRecord<>("guarded", "v");
    try (KafkaProducer<String, String> producer =
        Clients.producer(kafka, kafka.clientProperties())) {
      assertThatThrownBy(() -> producer.send(record).get())
          .hasCauseInstanceOf(TopicAuthorizationException.class);
    }

    kafka.admin().createAcls(List.of(alicesWrites())).all().get();

    try (KafkaProducer<String, String> producer =
        Clients.producer(kafka, kafka.clientProperties())) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptionsMatching(e -> e.getCause() instanceof TopicAuthorizationException)
          .until(() -> producer.send(record).get().hasOffset());
    }
  }

  @Test
  void theKitLooksPastAllOfIt() throws Exception {
    try (Admin direct = Admin.create(Map.of("bootstrap.servers", kafka.directServers()))) {
      assertThat(direct.describeCluster().nodes().get()).hasSize(1);
    }
    assertThat(kafka.directServers()).isNotEqualTo(kafka.bootstrapServers());
  }

  @Test
  void noTextShowsASecret() {
    KafkaClusterBuilder wrong =
        KafkaCluster.builder()
            .kind(ClusterKind.PROCESS)
            .user("bob", "hunter-2", SaslMechanism.PLAIN)
            .property("num.network.threads", "none");

    assertThatThrownBy(wrong::start)
        .isInstanceOf(TestKitException.class)
        .message()
        .doesNotContain("hunter-2");
    assertThat(kafka.clientProperties().toString()).doesNotContain("e\\\\c").contains("[hidden]");
    assertThat(new User("bob", new Password("hunter-2"), SaslMechanism.PLAIN).toString())
        .doesNotContain("hunter-2");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KafkaCluster.builder().user("bob", "hunter-2\n", SaslMechanism.PLAIN))
        .withMessageContaining("'bob'")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hunter-2"));
  }

  @Test
  void refusesWhatWouldGuardNothing() {
    assertThatIllegalStateException()
        .isThrownBy(() -> KafkaCluster.builder().acls().start())
        .withMessageContaining("user(...)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kafka.clientProperties("mallory"))
        .withMessageContaining("'mallory'")
        .withMessageContaining("alice");
    KafkaClusterBuilder twice = KafkaCluster.builder().user("alice", SECRET, SaslMechanism.PLAIN);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> twice.user("alice", SECRET, SaslMechanism.SCRAM_SHA_256));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KafkaCluster.builder().user("a=b", SECRET, SaslMechanism.PLAIN));
  }

  private static AclBinding alicesWrites() {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, "guarded", PatternType.LITERAL),
        new AccessControlEntry("User:alice", "*", AclOperation.WRITE, AclPermissionType.ALLOW));
  }
}
