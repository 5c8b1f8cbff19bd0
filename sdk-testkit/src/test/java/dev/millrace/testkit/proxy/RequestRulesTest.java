package dev.millrace.testkit.proxy;

import static dev.millrace.testkit.proxy.ProxyEvent.What.BLACKHOLED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.CUT;
import static dev.millrace.testkit.proxy.ProxyEvent.What.DELAYED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.HELD;
import static dev.millrace.testkit.proxy.ProxyEvent.What.RELEASED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.REQUEST_DROPPED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.RESPONSE_DROPPED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.SILENCED;
import static dev.millrace.testkit.proxy.ProxyEvent.What.UNDELIVERED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RequestRulesTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final byte NO_ANSWER = 42;

  private final ScriptedBroker broker = ScriptedBroker.answering(RequestRulesTest::answer);
  private final FaultProxy proxy = FaultProxy.inFrontOf(7, broker.address());

  @AfterEach
  void close() throws IOException {
    proxy.close();
    broker.close();
  }

  @Test
  void delaysChosenRequestsTogetherAndKeepsTheOrder() throws Exception {
    FaultRule rule = proxy.delay(Requests.of(ApiKeys.HEARTBEAT), Duration.ofMillis(150));
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);
      long start = System.nanoTime();
      for (int id = 2; id <= 200; id++) {
        client.send(id % 2 == 0 ? ApiKeys.HEARTBEAT : ApiKeys.METADATA, id);
      }
      for (int id = 2; id <= 200; id++) {
        assertThat(client.receiveId()).isEqualTo(id);
      }

      // One after the other it would be 15 s.
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(150), Duration.ofSeconds(7));
      assertThat(rule.hits()).isEqualTo(100);
      assertThat(kinds()).containsOnly(DELAYED).hasSize(100);
      assertThat(proxy.events().get(0).correlationId()).isEqualTo(2);

      rule.remove();
      client.ask(ApiKeys.HEARTBEAT, 201);
      assertThat(rule.hits()).isEqualTo(100);
    }
  }

  @Test
  void releaseEndsADelayAndTheEventSaysHowLongItReallyWas() throws Exception {
    FaultRule rule = proxy.delay(Requests.of(ApiKeys.PRODUCE), Duration.ofHours(1));
    try (TestClient client = client()) {
      client.send(ApiKeys.METADATA, 1);
      client.send(ApiKeys.PRODUCE, 2);
      assertThat(client.receiveId()).isEqualTo(1);
      // Released before it is met, the rule would let the request pass.
      Awaitility.await().atMost(LONG).until(() -> ProxyStacks.show("FaultRule.awaitDue"));
      assertThat(proxy.events()).isEmpty();
      rule.release();
      assertThat(client.receiveId()).isEqualTo(2);
      assertThat(proxy.events()).singleElement().asString().containsPattern("by \\d{1,5} ms");
    }
  }

  @Test
  void holdsUntilReleasedAndWhatComesBehindWaits() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.PRODUCE).first(1));
    try (TestClient client = client();
        TestClient other = client()) {
      client.ask(ApiKeys.METADATA, 1);
      client.send(ApiKeys.PRODUCE, 2);
      rule.awaitHit(LONG);
      client.send(ApiKeys.FETCH, 3);
      // A second one passes, and other connections don't wait.
      other.ask(ApiKeys.PRODUCE, 9);
      assertThat(broker.correlationIds()).containsExactly(1, 9);

      rule.release();

      assertThat(client.receiveId()).isEqualTo(2);
      assertThat(client.receiveId()).isEqualTo(3);
      assertThat(broker.correlationIds()).containsExactly(1, 9, 2, 3);
      assertThat(kinds()).containsExactly(HELD, RELEASED);
      assertThat(proxy.events().get(1).note()).contains("still there");
    }
  }

  @Test
  void givesTheBrokerWhatWasHeldAfterTheClientHasLeftAndWitnessesTheAnswer() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.END_TXN).fromClient("gone"));
    try (TestClient client = new TestClient(proxy, "gone")) {
      client.send(ApiKeys.END_TXN, 5);
      client.send(ApiKeys.METADATA, 6);
      rule.awaitHit(LONG);
      assertThatThrownBy(() -> rule.awaitClientsLeft(Duration.ZERO))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("1 clients are still there");
    }
    rule.awaitClientsLeft(LONG);
    assertThat(broker.frames()).isEmpty();
    assertThat(broker.ends()).isEmpty();

    rule.release();

    ProxyEvent answer = proxy.awaitEvent(e -> e.is(UNDELIVERED, ApiKeys.END_TXN), LONG);
    assertThat(answer.answer()).containsExactly(Errors.NONE);
    assertThat(answer.correlationId()).isEqualTo(5);
    assertThat(answer.clientId()).isEqualTo("gone");
    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(broker.ends()).containsExactly("end"));
    assertThat(broker.correlationIds()).containsExactly(5, 6);
    assertThat(proxy.events().get(1).what()).isEqualTo(RELEASED);
    assertThat(proxy.events().get(1).note()).contains("the client had left");
    assertThat(answer.toString())
        .contains("node 7 connection 1", "UNDELIVERED END_TXN v", "#5 of client 'gone'", "[NONE]");
  }

  @Test
  void removeLetsNewOnesPassAndKeepsWhatIsHeld() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.FETCH));
    try (TestClient held = client();
        TestClient free = client()) {
      held.send(ApiKeys.FETCH, 1);
      rule.awaitHit(LONG);
      rule.remove();

      free.ask(ApiKeys.FETCH, 2);
      assertThat(broker.correlationIds()).containsExactly(2);

      proxy.heal();
      assertThat(held.receiveId()).isEqualTo(1);
    }
  }

  @Test
  void aHeldRequestThatIsCutIsWitnessedAsLost() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.FETCH));
    try (TestClient client = client()) {
      client.send(ApiKeys.FETCH, 1);
      rule.awaitHit(LONG);

      proxy.cutConnections();

      proxy.awaitEvent(e -> e.is(REQUEST_DROPPED, ApiKeys.FETCH), LONG);
      rule.release();
      assertThat(kinds()).containsExactly(HELD, CUT, REQUEST_DROPPED);
      assertThat(broker.frames()).isEmpty();
    }
  }

  @Test
  void dropsARequestAndCuts() throws Exception {
    FaultRule rule = proxy.dropRequest(Requests.of(ApiKeys.PRODUCE).first(1), Afterwards.CUT);
    try (TestClient client = client()) {
      client.ask(ApiKeys.METADATA, 1);
      client.send(ApiKeys.PRODUCE, 2);

      assertThatThrownBy(client::receive).isInstanceOf(SocketException.class);
    }
    try (TestClient client = client()) {
      client.ask(ApiKeys.PRODUCE, 3);
    }
    assertThat(broker.correlationIds()).containsExactly(1, 3);
    assertThat(kinds()).containsExactly(REQUEST_DROPPED, CUT);
    assertThat(rule.hits()).isEqualTo(1);
  }

  @Test
  void dropsARequestAndIsSilentFromThereOn() throws Exception {
    proxy.dropRequest(Requests.of(ApiKeys.PRODUCE).first(1), Afterwards.SILENT);
    try (TestClient client = client()) {
      client.send(ApiKeys.METADATA, 1);
      client.send(ApiKeys.PRODUCE, 2);
      client.send(ApiKeys.METADATA, 3);

      assertThat(client.receiveId()).isEqualTo(1);
      proxy.awaitEvent(e -> e.what() == SILENCED, LONG);
      assertThat(broker.correlationIds()).containsExactly(1);
    }
    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(() -> assertThat(broker.ends()).containsExactly("end"));
    assertThat(broker.correlationIds()).containsExactly(1);
    assertThat(kinds()).containsExactly(REQUEST_DROPPED, SILENCED);
  }

  @Test
  void dropsAResponseAfterTheBrokerHasAnsweredAndCuts() throws Exception {
    FaultRule rule = proxy.dropResponse(Requests.of(ApiKeys.END_TXN).first(1), Afterwards.CUT);
    try (TestClient client = client()) {
      client.send(ApiKeys.METADATA, 1);
      assertThat(client.receiveId()).isEqualTo(1);
      client.send(ApiKeys.END_TXN, 2);

      assertThatThrownBy(client::receive).isInstanceOf(SocketException.class);
    }
    assertThat(broker.correlationIds()).containsExactly(1, 2);
    assertThat(kinds()).containsExactly(RESPONSE_DROPPED, CUT);
    assertThat(proxy.events().get(0).answer()).containsExactly(Errors.NONE);
    assertThat(rule.hits()).isEqualTo(1);
  }

  @Test
  void dropsAResponseAndIsSilentFromThereOn() throws Exception {
    proxy.dropResponse(Requests.of(ApiKeys.END_TXN), Afterwards.SILENT);
    try (TestClient client = client()) {
      client.socket().setSoTimeout(200);
      client.send(ApiKeys.END_TXN, 1);
      client.send(ApiKeys.METADATA, 2);

      proxy.awaitEvent(e -> e.what() == SILENCED, LONG);
      assertThatThrownBy(client::receive).isInstanceOf(SocketTimeoutException.class);
      assertThat(broker.correlationIds()).containsExactly(1, 2);
    }
  }

  @Test
  void anAnswerThatRefusesIsShownAsSuch() throws Exception {
    proxy.dropResponse(Requests.of(ApiKeys.END_TXN), Afterwards.CUT);
    try (TestClient client = client()) {
      client.send(ApiKeys.END_TXN, 1, (byte) Errors.NOT_COORDINATOR.code());

      ProxyEvent event = proxy.awaitEvent(e -> e.is(RESPONSE_DROPPED, ApiKeys.END_TXN), LONG);
      assertThat(event.answer()).containsExactly(Errors.NOT_COORDINATOR);
    }
  }

  @Test
  void aRequestWithoutAnAnswerIsNoHitAndLeavesThePlaceToTheNext() throws Exception {
    FaultRule rule = proxy.dropResponse(Requests.of(ApiKeys.PRODUCE).first(1), Afterwards.CUT);
    try (TestClient client = client()) {
      client.send(ApiKeys.PRODUCE, 1, NO_ANSWER);
      client.ask(ApiKeys.METADATA, 2);
      assertThat(rule.hits()).isZero();
      client.send(ApiKeys.PRODUCE, 3, NO_ANSWER);
      Awaitility.await().atMost(LONG).until(() -> broker.frames().size() == 3);
    }
    Awaitility.await().atMost(LONG).until(() -> broker.ends().size() == 1);
    assertThat(proxy.events()).isEmpty();

    Awaitility.await()
        .atMost(LONG)
        .untilAsserted(
            () -> {
              try (TestClient client = client()) {
                assertThatThrownBy(() -> client.ask(ApiKeys.PRODUCE, 4))
                    .isInstanceOf(IOException.class);
              }
            });
    assertThat(rule.hits()).isEqualTo(1);
    assertThat(kinds()).containsExactly(RESPONSE_DROPPED, CUT);
  }

  @Test
  void findsARequestBehindALargeOneAndNoneInsideIt() throws Exception {
    FaultRule rule = proxy.dropRequest(Requests.of(ApiKeys.END_TXN), Afterwards.CUT);
    byte[] inside = TestFrames.request(ApiKeys.END_TXN, 66, "client", new byte[0]);
    ByteBuffer large = ByteBuffer.allocate(300_000);
    while (large.remaining() >= inside.length) {
      large.put(inside);
    }
    try (TestClient client = client()) {
      client.send(ApiKeys.FETCH, 1, large.array());
      assertThat(client.receiveId()).isEqualTo(1);
      assertThat(rule.hits()).isZero();

      client.send(ApiKeys.END_TXN, 2);
      rule.awaitHit(LONG);
    }
    assertThat(proxy.events().get(0).correlationId()).isEqualTo(2);
  }

  @Test
  void chosenByClientId() throws Exception {
    FaultRule rule =
        proxy.dropRequest(Requests.of(ApiKeys.PRODUCE).fromClient("bad"), Afterwards.CUT);
    try (TestClient good = new TestClient(proxy, "good");
        TestClient bad = new TestClient(proxy, "bad")) {
      good.ask(ApiKeys.PRODUCE, 1);
      bad.ask(ApiKeys.FETCH, 1);
      bad.send(ApiKeys.PRODUCE, 2);
      rule.awaitHit(LONG);
    }
    assertThat(proxy.events().get(0).clientId()).isEqualTo("bad");
  }

  @Test
  void aRequestReleasedIntoABlackHoleIsNotReleased() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.PRODUCE));
    try (TestClient client = client()) {
      client.send(ApiKeys.PRODUCE, 1);
      rule.awaitHit(LONG);
      proxy.blackHole();
      rule.release();

      proxy.awaitEvent(e -> e.what() == BLACKHOLED, LONG);
      assertThat(kinds()).containsExactly(HELD, BLACKHOLED);
    }
  }

  @Test
  void awaitsInVainWithAnError() {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.END_TXN).fromClient("c").first(2));

    assertThatThrownBy(() -> rule.awaitHit(Duration.ofMillis(50)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("hold the first 2 [END_TXN] from client 'c'");
    assertThatThrownBy(() -> proxy.awaitEvent(e -> true, Duration.ofMillis(50)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("node 7 saw no such event");
  }

  @Test
  void aRuleThatMeetsTlsFailsLoudly() throws Exception {
    FaultRule rule = proxy.hold(Requests.of(ApiKeys.END_TXN));
    try (TestClient client = client()) {
      client.socket().getOutputStream().write(clientHello());

      assertThatThrownBy(client::receive).isInstanceOf(SocketException.class);
    }
    assertThat(kinds()).containsExactly(CUT);
    assertThatThrownBy(rule::hits)
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("hold all [END_TXN]")
        .hasMessageContaining("encrypted");
    assertThatThrownBy(() -> rule.awaitHit(LONG)).isInstanceOf(TestKitException.class);
  }

  @Test
  void anEncryptedConnectionRefusesARule() throws Exception {
    try (ScriptedBroker echo = ScriptedBroker.echoing();
        FaultProxy tls = FaultProxy.inFrontOf(8, echo.address());
        FaultProxy told = FaultProxy.inFrontOfEncrypted(9, echo.address());
        TestClient client = new TestClient(tls, "client")) {
      client.socket().getOutputStream().write(clientHello());
      byte[] back = client.socket().getInputStream().readNBytes(clientHello().length);
      assertThat(back).isEqualTo(clientHello());

      assertThatThrownBy(() -> tls.dropRequest(Requests.of(ApiKeys.FETCH), Afterwards.CUT))
          .isInstanceOf(TestKitException.class)
          .hasMessageContaining("encrypted");
      assertThatThrownBy(() -> told.hold(Requests.of(ApiKeys.FETCH)))
          .isInstanceOf(TestKitException.class);
      assertThat(tls.cutConnections()).isEqualTo(1);
    }
  }

  private static byte[] clientHello() {
    return new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3, 9, 9, 9};
  }

  /** Real ones to PRODUCE, and to END_TXN with the error code the body asks for. */
  private static Optional<byte[]> answer(ByteBuffer frame) {
    byte last = frame.get(frame.limit() - 1);
    if (frame.getShort(0) == ApiKeys.END_TXN.id) {
      boolean asked = frame.limit() > 10 + frame.getShort(8);
      short code = asked ? last : Errors.NONE.code();
      return Optional.of(response(frame, new EndTxnResponseData().setErrorCode(code)));
    }
    if (frame.getShort(0) == ApiKeys.PRODUCE.id && last != NO_ANSWER) {
      return Optional.of(response(frame, new ProduceResponseData()));
    }
    return last == NO_ANSWER ? Optional.empty() : Optional.of(TestFrames.echo(frame));
  }

  private static byte[] response(ByteBuffer request, Message message) {
    ByteBuffer body = MessageUtil.toByteBufferAccessor(message, request.getShort(2)).buffer();
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    return TestFrames.response(request.getInt(4), bytes);
  }

  private TestClient client() throws IOException {
    return new TestClient(proxy, "client");
  }

  private List<What> kinds() {
    return proxy.events().stream().map(ProxyEvent::what).toList();
  }
}
