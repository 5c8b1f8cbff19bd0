package dev.millrace.internal.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

/** Which of a transaction's failed sends are to blame: the client fails the others like them. */
class PoisonTest {
  @Test
  void whoIsTooLargeIsTheFirstThatFails() {
    RecordTooLargeException tooLarge = new RecordTooLargeException("20001 bytes");

    assertThat(Poison.isCause(tooLarge, "out", true)).isTrue();
    assertThat(Poison.isCause(tooLarge, "out", false)).isFalse();
  }

  @Test
  void aForbiddenTopicIsNamed() {
    TopicAuthorizationException forbidden =
        new TopicAuthorizationException(Set.of("orders.billing.dlq"));

    assertThat(Poison.isCause(forbidden, "orders.billing.dlq", false)).isTrue();
    assertThat(Poison.isCause(forbidden, "out", true)).isFalse();
  }

  @Test
  void whatMayPassByItselfIsNobodysFault() {
    assertThat(Poison.isCause(new TimeoutException("no leader"), "out", true)).isFalse();
  }
}
