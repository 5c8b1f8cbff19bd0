package dev.millrace.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.config.FailureClasses;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.FailureClassifier.Decision;
import dev.millrace.errors.NonRetryableException;
import dev.millrace.errors.PayloadException;
import dev.millrace.errors.RetryableException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who is believed first, and what of several classes. */
class ClassificationTest {
  private static final String LISTED = "non-retryable: %s listed";

  @Test
  void whateverNobodySpeaksOfIsRetried() {
    Classification none = new Classification("c", FailureClasses.NONE, null);

    assertThat(none.refusal(new IllegalStateException())).isNull();
    assertThat(none.refusal(new StackOverflowError())).isNull();
    assertThat(none.allowsUndecodable(new PayloadException("bytes", null))).isFalse();
  }

  @Test
  void aListedClassStandsForItsSubclasses() {
    Classification listed = listed(List.of(), List.of(IOException.class, LinkageError.class));

    assertThat(listed.refusal(new FileNotFoundException()))
        .isEqualTo(LISTED.formatted("java.io.IOException"));
    assertThat(listed.refusal(new NoClassDefFoundError()))
        .isEqualTo(LISTED.formatted("java.lang.LinkageError"));
    assertThat(listed.refusal(new Exception())).isNull();
  }

  @Test
  void aSubclassGoesBeforeItsSuperclassWhicheverListItIsIn() {
    Classification listed =
        listed(List.of(IOException.class), List.of(Exception.class, FileNotFoundException.class));

    assertThat(listed.refusal(new FileNotFoundException()))
        .isEqualTo(LISTED.formatted("java.io.FileNotFoundException"));
    assertThat(listed.refusal(new IOException())).isNull();
    assertThat(listed.refusal(new IllegalStateException()))
        .isEqualTo(LISTED.formatted("java.lang.Exception"));
    assertThat(listed.refusal(new StackOverflowError())).isNull();
  }

  @Test
  void causesCountAndTheOuterOneGoesFirstUnlessTheInnerOneIsMoreSpecific() {
    Classification listed =
        listed(List.of(IOException.class), List.of(Exception.class, ArithmeticException.class));

    assertThat(listed.refusal(new RuntimeException(new IOException()))).isNull();
    assertThat(listed.refusal(new UncheckedIOException(new FileNotFoundException()))).isNull();
    assertThat(listed.refusal(new IOException(new ArithmeticException()))).isNull();
    assertThat(listed.refusal(thrownWith(new ArithmeticException(), new IOException())))
        .isEqualTo(LISTED.formatted("java.lang.ArithmeticException"));
  }

  @Test
  void whatSaysItItselfGoesBeforeTheLists() {
    Classification listed = listed(List.of(IOException.class), List.of(Exception.class));

    assertThat(listed.refusal(new RetryableException("busy", new IllegalStateException())))
        .isNull();
    assertThat(listed.refusal(new IllegalStateException(new RetryableException("busy", null))))
        .isNull();
    assertThat(listed.refusal(new IOException(new NonRetryableException("never", null))))
        .isEqualTo(GaveUp.THROWN);
    assertThat(
            listed.refusal(
                new RetryableException("busy", new NonRetryableException("never", null))))
        .isNull();
    assertThat(new Classification("c", FailureClasses.NONE, null).refusal(new Never()))
        .isEqualTo(GaveUp.THROWN);
  }

  @Test
  void theServicesOwnWordGoesFirst() {
    assertThat(classified(it -> Decision.RETRY).refusal(new NonRetryableException("never", null)))
        .isNull();
    assertThat(classified(it -> Decision.GIVE_UP).refusal(new RetryableException("busy", null)))
        .isEqualTo(GaveUp.CLASSIFIED);
    assertThat(classified(it -> Decision.DEFAULT).refusal(new NonRetryableException("no", null)))
        .isEqualTo(GaveUp.THROWN);
  }

  @Test
  void theWrappersOfFuturesAreLookedThrough() {
    List<Throwable> asked = new ArrayList<>();
    Classification classification =
        classified(
            failure -> {
              asked.add(failure);
              return Decision.DEFAULT;
            });
    IOException failure = new IOException();

    assertThat(classification.refusal(new CompletionException(new ExecutionException(failure))))
        .isNull();
    CompletionException empty = new CompletionException("nothing in it", null);
    assertThat(classification.refusal(empty)).isNull();

    assertThat(asked).containsExactly(failure, empty);
  }

  @Test
  void aClassifierThatFailsItselfSaysNothing() {
    for (FailureClassifier broken :
        List.<FailureClassifier>of(
            failure -> {
              throw new IllegalStateException("broken");
            },
            failure -> {
              throw new StackOverflowError();
            },
            failure -> nothing())) {
      Classification classification = classified(broken);

      assertThat(classification.refusal(new IOException())).isNull();
      assertThat(classification.refusal(new NonRetryableException("never", null)))
          .isEqualTo(GaveUp.THROWN);
      assertThat(classification.allowsUndecodable(new PayloadException("bytes", null))).isFalse();
    }
  }

  @Test
  void causesInACircleAndThoseThatThrowEndTheSearch() {
    IOException one = new IOException();
    IllegalStateException other = new IllegalStateException(one);
    one.initCause(other);
    Classification listed = listed(List.of(), List.of(ArithmeticException.class));

    assertThat(listed.refusal(one)).isNull();
    assertThat(listed.refusal(new Hostile())).isNull();
  }

  @SuppressWarnings("NullAway") // What a service may do that is compiled without.
  private static Decision nothing() {
    return null;
  }

  private static Classification listed(
      List<Class<? extends Throwable>> retryable, List<Class<? extends Throwable>> nonRetryable) {
    return new Classification("c", new FailureClasses(retryable, nonRetryable), null);
  }

  private static Classification classified(FailureClassifier classifier) {
    return new Classification("c", FailureClasses.NONE, classifier);
  }

  private static Throwable thrownWith(Throwable failure, Throwable cause) {
    return failure.initCause(cause);
  }

  /** A service's own. */
  private static final class Never extends NonRetryableException {
    private static final long serialVersionUID = 1L;

    Never() {
      super("never", null);
    }
  }

  /** Throws when it is asked for its cause. */
  private static final class Hostile extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public synchronized @Nullable Throwable getCause() {
      throw new IllegalStateException("hostile");
    }
  }
}
