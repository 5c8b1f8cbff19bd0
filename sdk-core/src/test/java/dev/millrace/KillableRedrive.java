package dev.millrace;

import dev.millrace.config.ConfigLoader;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.util.Map;

/** A redrive in its own process, made to be killed. Its life ends with the redrive. */
public final class KillableRedrive implements Worker {
  @Override
  public void run(WorkerContext test) throws Exception {
    Map<String, String> environment =
        Map.of(
            "BROKERS", test.argument("brokers"),
            "TOPIC", test.argument("topic"),
            "GROUP", test.argument("group"));
    Redrive all =
        Redrive.of(DeadLetterFilter.all())
            .perSecond(Integer.parseInt(test.argument("per-second")))
            .onProgress(report -> test.progress(report.redriven()));
    try (KafkaFactory kafka =
        KafkaFactory.create(
            ConfigLoader.create()
                .environment(environment)
                .clientSettings(ClientProperties.knownNames())
                .parse("test.yaml", KilledRedriveTest.CONFIG))) {
      RedriveReport report = kafka.deadLetters("failing").redrive(all);
      System.out.println(report);
    }
  }
}
