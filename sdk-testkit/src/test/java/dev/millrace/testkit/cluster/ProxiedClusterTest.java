package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.proxy.FaultProxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ProxiedClusterTest {
  @Test
  void clientsAreToldOfTheProxyAndNeverOfTheBroker() throws Exception {
    try (KafkaCluster kafka =
        KafkaCluster.builder().kind(ClusterKind.PROCESS).nodes(2).proxied().start()) {
      List<FaultProxy> proxies = kafka.nodes().stream().map(ClusterNode::proxy).toList();
      List<Integer> ports = proxies.stream().map(FaultProxy::port).toList();
      kafka.createTopic("seen", 2);

      assertThat(proxies).as("the kit looks past them").allMatch(p -> p.cutConnections() == 0);
      assertThat(Ports.of(kafka)).isEqualTo(ports);
      try (Admin client = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
        // The one that is asked may not have heard yet of the other.
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(
                () ->
                    assertThat(client.describeCluster().nodes().get())
                        .extracting(Node::port)
                        .containsExactlyInAnyOrderElementsOf(ports));
      }
      try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
        producer.send(new ProducerRecord<>("seen", 0, null, "v")).get();
        producer.send(new ProducerRecord<>("seen", 1, null, "v")).get();
        assertThat(proxies).allMatch(proxy -> proxy.cutConnections() > 0);
      }
    }
  }

  @Test
  void withoutProxiesThereIsNone() {
    try (KafkaCluster kafka = KafkaCluster.builder().kind(ClusterKind.EMBEDDED).start()) {
      assertThatIllegalStateException()
          .isThrownBy(() -> kafka.node(1).proxy())
          .withMessageContaining("proxied()");
    }
  }
}
