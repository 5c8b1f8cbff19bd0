package dev.millrace.internal.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each step takes one nanosecond; the work of a step is done when its time has come. */
class SteppedSignalTest {
  private final Around around = new Around();
  private final SteppedSignal signal = new SteppedSignal(around);
  private boolean holds;

  private static final class Around implements SteppedSignal.Surroundings {
    final List<@Nullable Runnable> steps = new ArrayList<>();
    final List<Boolean> timeouts = new ArrayList<>();
    long nanos;

    @Override
    public long nanos() {
      return nanos;
    }

    @Override
    public boolean step(long deadlineNanos) {
      if (nanos == steps.size()) {
        return false;
      }
      Runnable work = steps.get((int) nanos++);
      if (work != null) {
        work.run();
      }
      return true;
    }

    @Override
    public void timedOut(boolean holds) {
      timeouts.add(holds);
    }
  }

  private boolean await(long deadlineNanos) {
    return signal.await(() -> holds, () -> holds, deadlineNanos);
  }

  @Test
  void whatHoldsIsNotWaitedFor() {
    holds = true;
    assertThat(await(0)).isTrue();
  }

  @Test
  void aRaisedSignalEndsTheWaitWhenItIsWorthIt() {
    around.steps.add(signal::raise);
    around.steps.add(
        () -> {
          holds = true;
          signal.raise();
        });
    around.steps.add(null);
    assertThat(await(10)).isTrue();
    assertThat(around.nanos).isEqualTo(2);
  }

  @Test
  void theDeadlineEndsTheWait() {
    around.steps.add(null);
    around.steps.add(null);
    assertThat(await(1)).isFalse();
    assertThat(around.nanos).isEqualTo(1);
    assertThat(around.timeouts).containsExactly(false);
  }

  @Test
  void whoeverForgetsToRaiseItIsFoundOut() {
    around.steps.add(() -> holds = true);
    around.steps.add(null);
    assertThat(await(2)).isTrue();
    assertThat(around.timeouts).containsExactly(true);
  }

  @Test
  void whenNothingCanHappenTheWaitEndsEarly() {
    assertThat(await(10)).isFalse();
    assertThat(around.timeouts).isEmpty();
  }
}
