package dev.millrace.examples.testing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.cluster.SaslMechanism;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

class SecuredTest {
  @Test
  void onlyWhoIsAllowedToMayWrite() throws Exception {
    try (KafkaCluster kafka =
        KafkaCluster.builder()
            .tls()
            .user("shop", "a-password", SaslMechanism.SCRAM_SHA_512)
            .acls()
            .start()) {
      kafka.createTopic("orders", 1);
      try (KafkaProducer<String, String> producer =
          new KafkaProducer<>(
              kafka.clientProperties("shop"), new StringSerializer(), new StringSerializer())) {
        ProducerRecord<String, String> order = new ProducerRecord<>("orders", "customer-42", "o-1");
        assertThatThrownBy(() -> producer.send(order).get())
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(TopicAuthorizationException.class);

        kafka.admin().createAcls(List.of(mayWrite("User:shop", "orders"))).all().get();
        // The broker learns of it a moment after the answer.
        await()
            .atMost(Duration.ofSeconds(60))
            .ignoreExceptionsMatching(e -> e.getCause() instanceof TopicAuthorizationException)
            .until(() -> producer.send(order).get().hasOffset());
      }
    }
  }

  private static AclBinding mayWrite(String who, String topic) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry(who, "*", AclOperation.WRITE, AclPermissionType.ALLOW));
  }
}
