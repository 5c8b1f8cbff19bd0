package dev.millrace.testkit.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.EnumSet;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ConnectionTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  /** The moment between a line that delivers again and the cut of who lost something in it. */
  @Test
  void nothingIsDeliveredBehindAGap() throws Exception {
    Link link = new Link();
    EventLog log = new EventLog();
    Connections connections = new Connections();
    ProxyThreads threads = new ProxyThreads(1);
    try (ScriptedBroker broker = ScriptedBroker.answering();
        ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(InetAddress.getLoopbackAddress(), listener.getLocalPort())) {
      Connection connection =
          new Connection(
              1,
              listener.accept(),
              false,
              link,
              new FaultRules(),
              new Witness(log, 1, 1, "client"),
              threads,
              connections);
      connection.open(broker.address());
      link.change(line -> line.delivering(EnumSet.noneOf(Direction.class)));
      client.getOutputStream().write(TestFrames.request(ApiKeys.FETCH, 1, "c", new byte[0]));
      Awaitility.await().atMost(LONG).until(() -> log.events().size() == 1);
      // The gap is made a moment after the event; else the cut could come before the next request.
      Awaitility.await().atMost(LONG).until(() -> !ProxyStacks.show("Pump.swallow"));
      link.change(line -> LinkConditions.HEALTHY);
      client.getOutputStream().write(TestFrames.request(ApiKeys.FETCH, 2, "c", new byte[0]));

      Awaitility.await()
          .atMost(LONG)
          .until(() -> log.events().stream().anyMatch(event -> event.what() == What.CUT));
      Awaitility.await().atMost(LONG).until(() -> broker.ends().size() == 1);
      assertThat(broker.frames()).isEmpty();
    }
    threads.awaitEnd(Duration.ofSeconds(10));
  }
}
