package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code retry.retryable}, {@code retry.non-retryable} and {@code retry.max-duration}. */
class FailureClassesTest {

  @Test
  void allIsRetryableAndWithoutALimitInTimeUnlessItIsWritten() {
    assertThat(retry("").classes()).isEqualTo(FailureClasses.NONE);
    assertThat(retry("").maxDuration()).isEqualTo(Duration.ZERO);
  }

  @Test
  void classesAreFoundByTheirNames() {
    assertThat(
            retry(
                    "retry: { nonRetryable: [java.lang.Throwable, java.util.concurrent.TimeoutException], retryable: 'java.io.IOException' }")
                .classes())
        .isEqualTo(
            new FailureClasses(
                List.of(IOException.class),
                List.of(Throwable.class, java.util.concurrent.TimeoutException.class)));
    assertThat(retry("retry: { max-duration: 2m }").maxDuration()).isEqualTo(Duration.ofMinutes(2));
    assertThat(retry("retry: { non-retryable: ['" + Own.class.getName() + "'] }").classes())
        .isEqualTo(new FailureClasses(List.of(), List.of(Own.class)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "no.such.A | write its full name, with $ before a nested class, and add its jar",
        "IOException | write its full name, with $ before a nested class, and add its jar",
        "java.lang.String | it is a class, but nothing that can be thrown"
      })
  void whatIsNoExceptionsClassIsRefusedWhereItStands(String name, String hint) {
    assertThat(Report.ofConsumer("retry:\n  non-retryable:\n    - java.lang.Error\n    - " + name))
        .isEqualTo(
            "kafka.yaml:10:13 consumers.c.retry.non-retryable[1]: expected the name of an exception's class on the classpath, found '"
                + name
                + "'; "
                + hint);
  }

  @Test
  void aClassIsInOneListOnce() {
    assertThat(
            Report.ofConsumer(
                """
                retry:
                  retryable: [java.io.IOException]
                  non-retryable: [java.lang.Error, java.io.IOException, java.lang.Error]"""))
        .isEqualTo(
            """
            kafka.yaml:9:9 consumers.c.retry.non-retryable: has java.io.IOException, as retryable has (line 8); keep it in one of them
            kafka.yaml:9:63 consumers.c.retry.non-retryable[2]: 'java.lang.Error' is already in the list""");
  }

  @Test
  void toListWhatIsRetriedAnywayIsRefused() {
    assertThat(Report.ofConsumer("retry: { retryable: [java.io.IOException] }"))
        .isEqualTo(
            "kafka.yaml:7:16 consumers.c.retry.retryable: is of no use without non-retryable, since all other failures are retried too; remove it, or write 'non-retryable: [java.lang.Throwable]' to have no others retried");
    assertThat(
            Report.ofConsumer(
                "retry: { retryable: [java.io.IOException], non-retryable: [no.such.A] }"))
        .doesNotContain("of no use");
  }

  @ParameterizedTest
  @CsvSource({"-1ms", "169h", "soon"})
  void theDurationHasBounds(String text) {
    assertThat(Report.ofConsumer("retry: { max-duration: " + text + " }"))
        .contains("consumers.c.retry.max-duration: expected a duration from 0ms to 168h");
  }

  private static RetryDefinition retry(String more) {
    return Objects.requireNonNull(
            ConfigLoader.create().parse("k", Report.consumer(more)).consumers().get("c"))
        .retry();
  }

  /** A service's own. */
  static final class Own extends Exception {
    private static final long serialVersionUID = 1L;
  }
}
