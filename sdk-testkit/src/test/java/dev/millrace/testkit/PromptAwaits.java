package dev.millrace.testkit;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has all awaits of this module look every few milliseconds, and wait long enough for a busy
 * machine; Awaitility's own 100 ms between two looks would be a large part of the tests' time.
 * JUnit finds it as a service.
 */
public final class PromptAwaits implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    Awaitility.setDefaultPollDelay(Duration.ZERO);
    Awaitility.setDefaultPollInterval(Duration.ofMillis(10));
    Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
  }
}
