package dev.millrace.testing;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Whatever fails, moves or dies, no record is handled before all that its key had before it are
 * resolved; and when the faults are over, every key comes back from the retry topics. More worlds:
 * {@code -Dmillrace.order.worlds=20000}; one of them: {@code -Dmillrace.order.world=17}.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class OrderWorldTest {

  @Test
  void theOrderOfAKeyIsNeverBroken() {
    Integer one = Integer.getInteger("millrace.order.world");
    int from = one == null ? 0 : one;
    int to = one == null ? Integer.getInteger("millrace.order.worlds", 60) : one + 1;
    for (int seed = from; seed < to; seed++) {
      try {
        new OrderWorld(seed).live();
      } catch (Throwable broken) {
        throw new AssertionError("World " + seed + " is broken.", broken);
      }
    }
  }
}
