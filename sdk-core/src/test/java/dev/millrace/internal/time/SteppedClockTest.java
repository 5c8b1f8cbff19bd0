package dev.millrace.internal.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SteppedClockTest {
  private final SteppedClock clock = new SteppedClock();
  private final List<String> done = new ArrayList<>();

  @Test
  void itMovesWhenToldTo() {
    assertThat(clock.now()).isEqualTo(Instant.EPOCH);
    clock.advance(1_500);
    assertThat(clock.nanos()).isEqualTo(1_500);
    assertThat(clock.now()).isEqualTo(Instant.EPOCH.plusNanos(1_500));
  }

  @Test
  void whatIsDueIsDoneInItsOrder() {
    DelayTimer timer = clock.timer();
    timer.after(20, () -> done.add("third"));
    timer.after(10, () -> done.add("first"));
    timer.after(10, () -> done.add("second"));
    assertThat(clock.nextDueNanos()).hasValue(10);
    assertThat(clock.advance(9)).isFalse();
    assertThat(done).isEmpty();

    assertThat(clock.advance(1)).isTrue();
    assertThat(done).containsExactly("first", "second");
    clock.advance(100);
    assertThat(done).containsExactly("first", "second", "third");
    assertThat(clock.nextDueNanos()).isEmpty();
  }

  @Test
  void whatATaskBringsAboutComesLater() {
    DelayTimer timer = clock.timer();
    timer.after(0, () -> timer.after(0, () -> done.add("later")));
    clock.advance(0);
    assertThat(done).isEmpty();
    clock.advance(0);
    assertThat(done).containsExactly("later");
  }

  @Test
  void aClosedTimerDoesNothingAndOthersGoOn() {
    DelayTimer closed = clock.timer();
    closed.after(10, () -> done.add("closed"));
    clock.timer().after(10, () -> done.add("other"));
    closed.close();
    clock.advance(10);
    assertThat(done).containsExactly("other");
  }
}
