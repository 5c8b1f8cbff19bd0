package dev.millrace.testkit.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What a proxy leaves behind: looks at the whole JVM, so it runs alone. */
@Isolated
class NothingLeftTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int NODE = 987;

  @Test
  void closeLeavesNoThreadAndNoSocketInWhateverState() throws Exception {
    closeInTheMidstOfFaults();
    long before = openFiles();

    closeInTheMidstOfFaults();

    Awaitility.await().atMost(LONG).until(() -> openFiles() <= before);
  }

  @Test
  void aConnectionThatEndsLeavesNothingWhileTheProxyRuns() throws Exception {
    try (ScriptedBroker broker = ScriptedBroker.answering();
        FaultProxy proxy = FaultProxy.inFrontOf(NODE, broker.address())) {
      for (int i = 0; i < 50; i++) {
        try (TestClient client = new TestClient(proxy, "c")) {
          client.ask(ApiKeys.METADATA, i);
        }
      }
      Awaitility.await()
          .atMost(LONG)
          .untilAsserted(() -> assertThat(threads()).containsExactly(name("accept")));
      assertThat(broker.ends()).hasSize(50).containsOnly("end");
    }
    assertThat(threads()).isEmpty();
  }

  @Test
  void anInterruptedCallerClosesAllTheSameAndStaysInterrupted() throws Exception {
    try (ScriptedBroker broker = ScriptedBroker.answering()) {
      FaultProxy proxy = FaultProxy.inFrontOf(NODE, broker.address());
      try (TestClient client = new TestClient(proxy, "c")) {
        client.ask(ApiKeys.METADATA, 1);

        Thread.currentThread().interrupt();
        proxy.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(threads()).isEmpty();
      }
    }
  }

  /** One connection is held, one black-holed, one delayed, one stands before a full queue. */
  private static void closeInTheMidstOfFaults() throws Exception {
    ScriptedBroker broker = ScriptedBroker.answering();
    FaultProxy proxy = FaultProxy.inFrontOf(NODE, broker.address());
    try (broker;
        TestClient held = new TestClient(proxy, "held");
        TestClient delayed = new TestClient(proxy, "delayed");
        TestClient full = new TestClient(proxy, "full");
        TestClient lost = new TestClient(proxy, "lost")) {
      for (TestClient client : List.of(held, delayed, full, lost)) {
        client.ask(ApiKeys.METADATA, 1);
      }
      FaultRule hold = proxy.hold(Requests.of(ApiKeys.FETCH));
      held.send(ApiKeys.FETCH, 2);
      hold.awaitHit(LONG);
      proxy.delay(Requests.of(ApiKeys.PRODUCE), Duration.ofHours(1));
      delayed.send(ApiKeys.PRODUCE, 2);
      proxy.throttle(Direction.TO_BROKER, 1);
      Thread sender = new Thread(() -> fill(full), "filling");
      sender.start();
      Awaitility.await()
          .atMost(LONG)
          .until(() -> stackOf("to-broker-read", "PieceQueue.put") && stackOf("", "carry"));
      proxy.removeThrottles();
      proxy.blackHole();
      lost.send(ApiKeys.METADATA, 2);
      proxy.awaitEvent(e -> e.what() == ProxyEvent.What.BLACKHOLED, LONG);

      proxy.close();
      proxy.close();

      assertThat(threads()).isEmpty();
      assertThatThrownBy(() -> new TestClient(proxy, "late")).isInstanceOf(ConnectException.class);
      for (TestClient client : List.of(held, delayed, lost)) {
        assertThatThrownBy(client::receive).isInstanceOf(IOException.class);
      }
      sender.join();
      Awaitility.await().atMost(LONG).until(() -> broker.ends().size() == broker.connections());
    }
  }

  private static void fill(TestClient client) {
    try {
      while (true) {
        client.send(ApiKeys.METADATA, 2, new byte[1_000_000]);
      }
    } catch (IOException e) {
      // The proxy has closed.
    }
  }

  private static boolean stackOf(String thread, String frame) {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(e -> e.getKey().getName().startsWith(name("")))
        .filter(e -> e.getKey().getName().contains(thread))
        .anyMatch(e -> List.of(e.getValue()).toString().contains(frame));
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith(name("")))
        .toList();
  }

  private static String name(String rest) {
    return "millrace-proxy-" + NODE + "-" + rest;
  }

  private static long openFiles() {
    return ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getOpenFileDescriptorCount();
  }
}
