package dev.millrace.testing;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Records go through retry topics while processes are killed, partitions leave and come back, and
 * commits and sends fail. {@code -Dmillrace.retry.worlds} says how many worlds there are, {@code
 * -Dmillrace.retry.seed} which one is the first.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class RetryWorldsTest {
  private static final int WORLDS = Integer.getInteger("millrace.retry.worlds", 150);
  private static final long FIRST = Long.getLong("millrace.retry.seed", 1);

  @Test
  void eachRecordIsHandledOrADeadLetter() {
    for (long seed = FIRST; seed < FIRST + WORLDS; seed++) {
      try (RetryWorld world = new RetryWorld(seed)) {
        try {
          world.live();
        } catch (Throwable broken) {
          throw new AssertionError("Seed " + seed + ", " + world, broken);
        }
      }
    }
  }
}
