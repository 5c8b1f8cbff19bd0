package dev.millrace.testkit.junit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.Arrays;
import java.util.Map;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Runs test classes in a run of their own. */
final class Launch {
  private static final String PARALLEL = "junit.jupiter.execution.parallel.";

  private Launch() {}

  static TestExecutionSummary of(Map<String, String> parameters, Class<?>... classes) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(Arrays.stream(classes).map(c -> selectClass(c)).toList())
            .configurationParameters(parameters)
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener);
    return listener.getSummary();
  }

  /** Runs what is marked as concurrent two at a time. */
  static TestExecutionSummary inParallel(Class<?>... classes) {
    return of(
        Map.of(
            PARALLEL + "enabled", "true",
            PARALLEL + "config.strategy", "fixed",
            PARALLEL + "config.fixed.parallelism", "2"),
        classes);
  }
}
