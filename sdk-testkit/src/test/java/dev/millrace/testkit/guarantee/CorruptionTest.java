package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.guarantee.Result.Status;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Correct runs from many seeds are green, and what is corrupted in them turns red. */
class CorruptionTest {
  private static final int GREEN_SEEDS = 300;
  private static final int RED_SEEDS = 20;

  private static final Guarantee[] CHECKED = {
    Guarantee.noLoss(),
    Guarantee.ackedInLog(),
    Guarantee.boundedRedo(CorrectRun.PARTITIONS * CorrectRun.WINDOW),
    Guarantee.orderPerKey(),
    Guarantee.noOverlapPerKey(),
    Guarantee.commitsJustified(),
    Guarantee.commitsMonotonic(),
    Guarantee.commitsByOwner(),
    Guarantee.exactlyOnceCopy(Story.TOPIC, "sink"),
    Guarantee.transactionsClosed(),
    Guarantee.drainedAfterHeal(Duration.ofSeconds(60)),
  };

  @Test
  void aCorrectRunHolds() {
    int redone = 0;
    for (long seed = 0; seed < GREEN_SEEDS; seed++) {
      Evidence evidence = CorrectRun.of(seed).evidence();
      Report report = Guarantee.checkAll(evidence, CHECKED);
      assertThat(report.holds()).as("seed %d%n%s", seed, report).isTrue();
      redone += Guarantee.noDuplicates().check(evidence).findings().size();
    }
    // Otherwise the runs would be too tame to show anything.
    assertThat(redone).as("records handled again in all runs").isGreaterThan(GREEN_SEEDS);
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.guarantee.Corruption#all")
  void aCorruptionIsCaught(Corruption corruption) {
    Map<String, Integer> red = new TreeMap<>();
    for (long seed = 0; seed < RED_SEEDS; seed++) {
      Run run = CorrectRun.of(seed);
      corruption.apply(run);
      Report report = Guarantee.checkAll(run.evidence(), CHECKED);
      assertThat(report.named(Status.VIOLATED))
          .as("seed %d%n%s", seed, report)
          .containsAll(corruption.caughtBy());
      report.named(Status.VIOLATED).forEach(name -> red.merge(name, 1, Integer::sum));
    }
    System.out.printf(
        "%-45s must: %-40s in %d seeds: %s%n",
        corruption, new TreeSet<>(corruption.caughtBy()), RED_SEEDS, red);
  }
}
