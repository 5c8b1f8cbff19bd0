package dev.millrace.testkit.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class InFlightTest {
  private final InFlight inFlight = new InFlight();
  private final FaultRule rule =
      FaultRule.dropResponse(Requests.of(ApiKeys.PRODUCE).first(1), Afterwards.CUT);

  @Test
  void anAnswerEndsTheWaitForOlderOnes() {
    inFlight.add(claimed(1), rule);
    inFlight.add(request(2), null);
    inFlight.add(request(3), null);

    assertThat(inFlight.answered(2).request().correlationId()).isEqualTo(2);

    assertThat(inFlight.answered(1)).isNull();
    assertThat(inFlight.answered(2)).isNull();
    assertThat(rule.active()).isTrue();
    assertThat(inFlight.answered(3)).isNotNull();
  }

  @Test
  void anAnswerToNothingChangesNothing() {
    inFlight.add(claimed(1), rule);

    assertThat(inFlight.answered(7)).isNull();

    assertThat(inFlight.answered(1).rule()).isSameAs(rule);
    assertThat(rule.active()).isFalse();
  }

  @Test
  void requestsThatNobodyAnswersDoNotPileUp() {
    inFlight.add(claimed(0), rule);
    for (int id = 1; id < 10_000; id++) {
      inFlight.add(request(id), null);
    }
    assertThat(rule.active()).isFalse();

    inFlight.add(request(10_000), null);

    assertThat(rule.active()).isTrue();
    assertThat(inFlight.answered(0)).isNull();
    assertThat(inFlight.answered(1)).isNotNull();
  }

  @Test
  void theEndOfTheConnectionGivesTheClaimBack() {
    inFlight.add(claimed(1), rule);

    inFlight.close();

    assertThat(rule.active()).isTrue();
  }

  private RequestHead claimed(int correlationId) {
    RequestHead request = request(correlationId);
    assertThat(rule.claim(request)).isTrue();
    return request;
  }

  private static RequestHead request(int correlationId) {
    return new RequestHead(ApiKeys.PRODUCE, (short) 9, correlationId, "client");
  }
}
