package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TriesTest {
  private static final TopicPartition RETRY = new TopicPartition("t.retry-2", 0);

  @Test
  void recordsThatHaveNotFailedShareOne() {
    assertThat(Tries.after(null)).isSameAs(Tries.after(null));
    assertThat(Tries.after(null).number()).isEqualTo(1);
    assertThat(Tries.after(null).firstFailure()).isEqualTo(-1);
  }

  @Test
  void theFirstAttemptInPlaceStaysTheFirst() {
    Tries second = Tries.after(null).next(Tries.after(null).since(10), 1_000);
    Tries third = second.next(second.since(20), 2_000);

    assertThat(third.inPlace()).isEqualTo(3);
    assertThat(third.since(30)).isEqualTo(10);
    assertThat(third.firstFailure()).isEqualTo(1_000);
    assertThat(third.failed(3_000)).isSameAs(third);
  }

  @Test
  void whatWasInOtherTopicsCounts() {
    Tries again = Tries.after(new History(2, RETRY, 4, 500)).failed(1_000);

    assertThat(again.level()).isEqualTo(2);
    assertThat(again.number()).isEqualTo(5);
    assertThat(again.inPlace()).isEqualTo(1);
    assertThat(again.since(30)).isEqualTo(30);
    assertThat(again.firstFailure()).isEqualTo(500);
  }

  @Test
  void aFirstFailureThatIsNotKnownIsTheFirstInPlace() {
    Tries again = Tries.after(new History(1, RETRY, 4, -1)).failed(1_000);

    assertThat(again.firstFailure()).isEqualTo(1_000);
  }
}
