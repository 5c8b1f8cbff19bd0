package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.Clients;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.junit.jupiter.api.Test;

class FrontTest {
  @Test
  void clientsAreToldOfTheFrontAndNeverOfTheBroker() throws Exception {
    List<Forwarder> fronts = new CopyOnWriteArrayList<>();
    try (KafkaCluster kafka =
        KafkaCluster.builder()
            .kind(ClusterKind.PROCESS)
            .nodes(2)
            .fronts(
                (id, broker) -> {
                  Forwarder front = new Forwarder(broker);
                  fronts.add(front);
                  return front;
                })
            .start()) {
      List<Integer> ports = fronts.stream().map(Forwarder::port).toList();
      kafka.createTopic("seen", 2);

      assertThat(fronts).as("the kit looks past them").allMatch(f -> f.connections() == 0);
      assertThat(Ports.of(kafka)).isEqualTo(ports);
      try (Admin client = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
        assertThat(client.describeCluster().nodes().get())
            .extracting(Node::port)
            .containsExactlyInAnyOrderElementsOf(ports);
      }
      try (KafkaProducer<String, String> producer = Clients.producer(kafka, Map.of())) {
        producer.send(new ProducerRecord<>("seen", 0, null, "v")).get();
        producer.send(new ProducerRecord<>("seen", 1, null, "v")).get();
      }
      assertThat(fronts).allMatch(front -> front.connections() > 0);
    }
    assertThat(fronts).allMatch(Forwarder::closed);
  }

  /** Passes bytes on, nothing more. */
  private static final class Forwarder implements Front {
    private final InetSocketAddress broker;
    private final ServerSocket server;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    Forwarder(InetSocketAddress broker) {
      this.broker = broker;
      try {
        server = new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      daemon(this::accept);
    }

    @Override
    public int port() {
      return server.getLocalPort();
    }

    int connections() {
      return sockets.size() / 2;
    }

    boolean closed() {
      return server.isClosed();
    }

    @Override
    public void close() {
      List<AutoCloseable> all = new ArrayList<>(sockets);
      all.add(server);
      for (AutoCloseable each : all) {
        try {
          each.close();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }
    }

    private void accept() {
      try {
        while (true) {
          Socket client = server.accept();
          Socket onward = new Socket(broker.getAddress(), broker.getPort());
          sockets.add(client);
          sockets.add(onward);
          daemon(() -> pass(client, onward));
          daemon(() -> pass(onward, client));
        }
      } catch (IOException e) {
        // Closed.
      }
    }

    private static void pass(Socket from, Socket to) {
      try (from;
          to;
          InputStream in = from.getInputStream()) {
        in.transferTo(to.getOutputStream());
      } catch (IOException e) {
        // One of them closed.
      }
    }

    private static void daemon(Runnable task) {
      Thread thread = new Thread(task, "forwarder");
      thread.setDaemon(true);
      thread.start();
    }
  }
}
