package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.guarantee.Result.Status;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A naive consumer and a correct one on the plain client go through the same faults. */
@KafkaTest
class NaiveAndCorrectTest {
  private static final Guarantee[] CHECKED = {
    Guarantee.noLoss(),
    Guarantee.ackedInLog(),
    Guarantee.boundedRedo(1),
    Guarantee.orderPerKey(),
    Guarantee.noOverlapPerKey(),
    Guarantee.commitsJustified(),
    Guarantee.commitsMonotonic(),
    Guarantee.commitsByOwner(),
  };

  @Test
  @Timeout(600)
  void theNaiveOneLosesRepeatsAndOvertakesAndTheCorrectOneDoesNot(
      KafkaCluster kafka, TestTopics topics, @TempDir Path naiveFiles, @TempDir Path correctFiles)
      throws Exception {
    Report naive = run(kafka, topics, true, naiveFiles);
    Report correct = run(kafka, topics, false, correctFiles);

    System.out.println(table(naive, correct));
    System.out.println(naive.of("no loss").orElseThrow());
    correct.assertHolds();
    assertThat(naive.named(Status.VIOLATED))
        .as(naive.toString())
        .contains(
            "no loss", "bounded redo", "order per key", "no overlap per key", "commits justified");
    assertThat(naive.named(Status.INCONCLUSIVE)).isEmpty();
  }

  private static Report run(KafkaCluster kafka, TestTopics topics, boolean naive, Path directory)
      throws Exception {
    String name = naive ? "naive" : "correct";
    try (FaultScript script =
        new FaultScript(kafka, topics.create(name, 2), topics.groupId(name), naive, directory)) {
      return Guarantee.checkAll(script.run(), CHECKED);
    }
  }

  private static String table(Report naive, Report correct) {
    StringBuilder table = new StringBuilder();
    table.append(String.format("%-22s%-16s%s%n", "guarantee", "naive", "correct"));
    for (Guarantee guarantee : CHECKED) {
      String name = guarantee.name();
      table.append(
          String.format(
              "%-22s%-16s%s%n",
              name,
              naive.of(name).orElseThrow().summary(),
              correct.of(name).orElseThrow().summary()));
    }
    return table.toString();
  }
}
