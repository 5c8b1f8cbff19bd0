package dev.millrace.testkit.proxy;

import static dev.millrace.testkit.proxy.ProxyEvent.What.BLACKHOLED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.CUT;
import static dev.millrace.testkit.proxy.ProxyEvent.What.LATE;
import static dev.millrace.testkit.proxy.ProxyEvent.What.REFUSED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.THROTTLED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LineFaultsTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final ScriptedBroker broker = ScriptedBroker.answering();
  private final FaultProxy proxy = FaultProxy.inFrontOf(7, broker.address());

  @AfterEach
  void close() throws IOException {
    proxy.close();
    broker.close();
  }

  @Test
  void forwardsWithoutAnEventWhenNothingIsWrong() throws Exception {
    try (TestClient client = client()) {
      assertThat(client.ask(ApiKeys.METADATA, 1)).isEqualTo(1);
      assertThat(client.ask(ApiKeys.FETCH, 2)).isEqualTo(2);
    }

    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(broker.ends()).containsExactly("end"));
    assertThat(proxy.events()).isEmpty();
  }

  @Test
  void cutsWhatIsThereOnBothSidesAndTakesNewConnections() throws Exception {
    try (TestClient one = client();
        TestClient two = client()) {
      one.ask(ApiKeys.METADATA, 1);
      two.ask(ApiKeys.METADATA, 1);

      assertThat(proxy.cutConnections()).isEqualTo(2);

      assertThatThrownBy(one::receive).isInstanceOf(SocketException.class);
      assertThatThrownBy(two::receive).isInstanceOf(SocketException.class);
    }
    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(broker.ends()).containsExactly("reset", "reset"));
    assertThat(kinds()).containsExactly(CUT, CUT);
    assertThat(proxy.cutConnections()).isZero();
    try (TestClient next = client()) {
      next.ask(ApiKeys.METADATA, 1);
    }
    assertThat(kinds()).containsExactly(CUT, CUT);
  }

  @Test
  void refusesNewConnectionsAndKeepsTheOldOnes() throws Exception {
    try (TestClient old = client()) {
      old.ask(ApiKeys.METADATA, 1);
      proxy.refuseConnections();

      assertThatThrownBy(() -> askAnew()).isInstanceOf(IOException.class);

      old.ask(ApiKeys.METADATA, 2);
      assertThat(kinds()).containsExactly(REFUSED);
      assertThat(broker.connections()).isEqualTo(1);
    }
    proxy.acceptConnections();
    askAnew();
    assertThat(kinds()).containsExactly(REFUSED);
  }

  @Test
  void theClientsOfADeadBrokerAreReset() throws Exception {
    broker.close();
    assertThatThrownBy(this::askAnew).isInstanceOf(IOException.class);
    assertThatThrownBy(this::askAnew).isInstanceOf(IOException.class);

    assertThat(proxy.events()).isEmpty();
  }

  @Test
  void endsTheClientsConnectionWhenTheBrokerEndsIt() throws Exception {
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);
      broker.close();

      assertThatThrownBy(client::receive).isInstanceOf(IOException.class);
    }
    assertThat(proxy.events()).isEmpty();
  }

  @Test
  void aBlackHoleSwallowsBothWaysAndCutsAtItsEndWhatLostSomething() throws Exception {
    try (TestClient loser = client();
        TestClient idle = client()) {
      loser.ask(ApiKeys.METADATA, 1);
      idle.ask(ApiKeys.METADATA, 1);
      int request = TestFrames.request(ApiKeys.METADATA, 2, "client", new byte[100]).length;
      proxy.blackHole();

      loser.send(ApiKeys.METADATA, 2, new byte[100]);
      loser.send(ApiKeys.METADATA, 3, new byte[100]);

      ProxyEvent event =
          proxy.awaitEvent(e -> e.what() == BLACKHOLED && e.bytes() == 2L * request, LONG);
      assertThat(event.note()).contains("broker");
      assertThat(kinds()).containsExactly(BLACKHOLED);
      assertThat(broker.correlationIds()).containsExactly(1, 1);

      proxy.heal();

      assertThatThrownBy(loser::receive).isInstanceOf(SocketException.class);
      assertThat(idle.ask(ApiKeys.METADATA, 2)).isEqualTo(2);
      assertThat(kinds()).containsExactly(BLACKHOLED, CUT);
      assertThat(broker.correlationIds()).containsExactly(1, 1, 2);
    }
  }

  @Test
  void theBrokerDoesNotLearnOfAClientThatLeavesInTheBlackHole() throws Exception {
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);
      proxy.blackHole();
    }

    proxy.awaitEvent(e -> e.what() == BLACKHOLED && e.bytes() == 0, LONG);
    assertThat(broker.ends()).isEmpty();

    proxy.deliverBothWays();
    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(broker.ends()).containsExactly("reset"));
    assertThat(kinds()).containsExactly(BLACKHOLED, CUT);
  }

  @Test
  void deliversOneWayOnly() throws Exception {
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);

      proxy.deliverOnly(Direction.TO_BROKER);
      client.send(ApiKeys.METADATA, 2);
      ProxyEvent lost = proxy.awaitEvent(e -> e.what() == BLACKHOLED, LONG);
      assertThat(lost.note()).contains("client");
      assertThat(broker.correlationIds()).containsExactly(1, 2);

      proxy.heal();
    }
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 3);

      proxy.deliverOnly(Direction.TO_CLIENT);
      client.send(ApiKeys.METADATA, 4);
      proxy.awaitEvent(e -> e.what() == BLACKHOLED && e.note().contains("broker"), LONG);
      assertThat(broker.correlationIds()).containsExactly(1, 2, 3);
    }
  }

  @Test
  void latencyIsNoThroughputLimitAndKeepsTheOrder() throws Exception {
    int count = 200;
    proxy.addLatency(Duration.ofMillis(100), Duration.ofMillis(30), 42);
    try (TestClient client = client()) {
      long start = System.nanoTime();
      for (int i = 1; i <= count; i++) {
        client.send(ApiKeys.METADATA, i);
      }
      for (int i = 1; i <= count; i++) {
        assertThat(client.receiveId()).isEqualTo(i);
      }
      Duration took = Duration.ofNanos(System.nanoTime() - start);

      // Both ways; one after the other it would be 200 times as much.
      assertThat(took).isBetween(Duration.ofMillis(200), Duration.ofSeconds(15));
      assertThat(kinds()).containsExactly(LATE, LATE);
    }
  }

  @Test
  void healEndsTheLatencyOfWhatIsOnItsWay() throws Exception {
    proxy.addLatency(Duration.ofHours(1), Duration.ZERO, 1);
    try (TestClient client = client()) {
      client.send(ApiKeys.METADATA, 1);
      Awaitility.await().atMost(LONG).until(() -> ProxyStacks.show("Link.awaitArrival"));

      proxy.heal();

      assertThat(client.receiveId()).isEqualTo(1);
      assertThat(kinds()).containsExactly(LATE);
    }
  }

  @Test
  void jitterDependsOnTheSeedAlone() {
    Latency latency = new Latency(Duration.ofMillis(1), Duration.ofMillis(1), 5);
    assertThat(latency.of(2, 3)).isEqualTo(latency.of(2, 3)).isNotEqualTo(latency.of(3, 2));
    for (int i = 0; i < 1000; i++) {
      assertThat(latency.of(1, i)).isBetween(1_000_000L, 2_000_000L);
    }
  }

  @Test
  void throttlesEachDirectionByItself() throws Exception {
    byte[] body = new byte[20_000];
    proxy.throttle(Direction.TO_BROKER, 100_000);
    try (TestClient client = client()) {
      long start = System.nanoTime();
      client.send(ApiKeys.METADATA, 1, body);
      client.receive();
      Duration took = Duration.ofNanos(System.nanoTime() - start);

      assertThat(took).isGreaterThanOrEqualTo(Duration.ofMillis(200));
      int sent = TestFrames.request(ApiKeys.METADATA, 1, "client", body).length;
      assertThat(proxy.events())
          .singleElement()
          .satisfies(e -> assertThat(e.what()).isEqualTo(THROTTLED))
          .satisfies(e -> assertThat(e.bytes()).isEqualTo(sent));

      proxy.removeThrottles();
      client.ask(ApiKeys.METADATA, 2);
      assertThat(proxy.events()).hasSize(1);
    }
  }

  @Test
  void aThrottleIsSharedByAllConnections() throws Exception {
    proxy.throttle(Direction.TO_BROKER, 100_000);
    try (TestClient one = client();
        TestClient two = client()) {
      long start = System.nanoTime();
      one.send(ApiKeys.METADATA, 1, new byte[15_000]);
      two.send(ApiKeys.METADATA, 1, new byte[15_000]);
      one.receive();
      two.receive();

      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isGreaterThanOrEqualTo(Duration.ofMillis(300));
    }
  }

  @Test
  void aReaderThatPausesMakesTheSenderWait() throws Exception {
    proxy.hold(Requests.of(ApiKeys.METADATA));
    try (TestClient client = client()) {
      AtomicInteger sent = new AtomicInteger();
      Thread sender = new Thread(() -> sendForEver(client, sent), "sender");
      sender.setDaemon(true);
      sender.start();

      // 8 MiB and the kernel's buffers are full; a sender that nothing stops sends GBs in that
      // time.
      AtomicInteger last = new AtomicInteger();
      Awaitility.await()
          .during(Duration.ofMillis(300))
          .atMost(LONG)
          .until(() -> sent.get() > 80 && last.getAndSet(sent.get()) == sent.get());
      assertThat(broker.frames()).isEmpty();
    }
  }

  @Test
  void saysWhichNumbersCannotBe() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> proxy.throttle(Direction.TO_BROKER, 0))
        .withMessageContaining("not 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> proxy.addLatency(Duration.ZERO, Duration.ZERO, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> proxy.delay(Requests.of(ApiKeys.FETCH), Duration.ZERO));
    assertThatIllegalArgumentException().isThrownBy(() -> Requests.of(ApiKeys.FETCH).first(0));
  }

  private void askAnew() throws IOException {
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);
    }
  }

  private static void sendForEver(TestClient client, AtomicInteger sent) {
    try {
      while (true) {
        client.send(ApiKeys.METADATA, 1, new byte[100_000]);
        sent.incrementAndGet();
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private TestClient client() throws IOException {
    return new TestClient(proxy, "client");
  }

  private List<What> kinds() {
    return proxy.events().stream().map(ProxyEvent::what).toList();
  }
}
