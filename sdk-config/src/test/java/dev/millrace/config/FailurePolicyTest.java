package dev.millrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What becomes of records that fail for ever, where no dead-letter topic takes them as they are.
 */
class FailurePolicyTest {
  @ParameterizedTest
  @CsvSource({
    "at-least-once,, STOP",
    "at-least-once, on-failure: stop, STOP",
    "at-least-once, on-failure: skip, SKIP",
    "exactly-once,, STOP",
    "exactly-once, onFailure: Skip, SKIP",
    "at-most-once,, SKIP",
    "at-most-once, on-failure: skip, SKIP",
  })
  void theConsumerStopsUnlessToldOtherwise(String semantics, String line, FailurePolicy expected) {
    assertThat(consumer(semantics, line == null ? "" : line).onFailure()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"'', STOP", "oversize: stop, STOP", "oversize: reference, REFERENCE"})
  void aDeadLetterThatDoesNotFitStopsItUnlessToldOtherwise(String line, Oversize expected) {
    DeadLetterDefinition deadLetter =
        consumer("at-least-once", "dead-letter: { " + line + " }").deadLetter();

    assertThat(Objects.requireNonNull(deadLetter).oversize()).isEqualTo(expected);
  }

  @Test
  void twoWordsOnWhatFailsAreRefused() {
    assertThat(Report.ofConsumer("dead-letter: {}\non-failure: skip"))
        .contains(
            "on-failure: is of no use beside 'dead-letter', which takes what fails; remove one of them");
    ConsumerDefinition switchedOff =
        consumer("at-least-once", "dead-letter: { enabled: false }\n      on-failure: skip");
    assertThat(switchedOff.deadLetter()).isNull();
    assertThat(switchedOff.onFailure()).isEqualTo(FailurePolicy.SKIP);
  }

  @Test
  void aStopThatWouldKeepNothingIsRefused() {
    assertThat(Report.ofConsumer("delivery-semantics: at-most-once\non-failure: stop"))
        .contains("on-failure: stop contradicts delivery-semantics at-most-once")
        .contains("whose offset is past the record already; write 'skip' or remove it");
  }

  private static ConsumerDefinition consumer(String semantics, String line) {
    KafkaConfig config =
        ConfigLoader.create()
            .parse(
                "kafka.yaml",
                """
                kafka:
                  common: { bootstrap-servers: "a:1", instance-id: i }
                  consumers:
                    c:
                      topics: [t]
                      group-id: g
                      delivery-semantics: %s
                      %s
                """
                    .formatted(semantics, line));
    return Objects.requireNonNull(config.consumers().get("c"));
  }
}
