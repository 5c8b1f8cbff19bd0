package dev.millrace.internal.delivery;

import dev.millrace.config.FailureClasses;
import dev.millrace.consumer.FailureClassifier;
import dev.millrace.consumer.FailureClassifier.Decision;
import dev.millrace.errors.NonRetryableException;
import dev.millrace.errors.RetryableException;
import dev.millrace.internal.time.LogThrottle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether another attempt may follow a failure. The first that says something is believed: the
 * service's classifier; the outermost {@link RetryableException} or {@link NonRetryableException}
 * among the failure and its causes; the classes of the definition, of those that fit the failure or
 * a cause a subclass before its superclass, and of others that of the outer exception. Else it may.
 * Any thread.
 */
final class Classification {
  private static final Logger LOG = LoggerFactory.getLogger(Classification.class);

  /** Causes may form a circle. */
  private static final int MOST_CAUSES = 50;

  private final String consumer;
  private final FailureClasses classes;
  private final @Nullable FailureClassifier classifier;
  private final LogThrottle log = new LogThrottle();

  /**
   * @param classifier null when the service has none
   */
  Classification(String consumer, FailureClasses classes, @Nullable FailureClassifier classifier) {
    this.consumer = consumer;
    this.classes = classes;
    this.classifier = classifier;
  }

  /** Returns why no attempt may follow what a handler failed with; null when one may. */
  @Nullable String refusal(Throwable thrown) {
    try {
      return refusalOf(unwrapped(thrown));
    } catch (RuntimeException hostile) { // An exception may throw when it is asked for its cause.
      return null;
    }
  }

  private @Nullable String refusalOf(Throwable failure) {
    Decision decision = decision(failure);
    if (decision != Decision.DEFAULT) {
      return decision == Decision.RETRY ? null : GaveUp.CLASSIFIED;
    }
    Throwable explicit =
        causes(failure)
            .filter(it -> it instanceof RetryableException || it instanceof NonRetryableException)
            .findFirst()
            .orElse(null);
    if (explicit != null) {
      return explicit instanceof NonRetryableException ? GaveUp.THROWN : null;
    }
    Class<?> listed = listed(failure);
    return listed != null && classes.nonRetryable().contains(listed) ? GaveUp.listed(listed) : null;
  }

  /** Returns whether a value that could not be decoded is worth another attempt. */
  boolean allowsUndecodable(Throwable failure) {
    return decision(failure) == Decision.RETRY;
  }

  private Decision decision(Throwable failure) {
    if (classifier == null) {
      return Decision.DEFAULT;
    }
    try {
      return Objects.requireNonNull(classifier.decide(failure), "its decision");
    } catch (Throwable broken) { // The record must not hang on it.
      String end = log.permit();
      if (end != null) {
        LOG.warn(
            "Consumer '{}' goes on without its failure classifier, which failed itself on {}.{}",
            consumer,
            failure.getClass().getName(),
            end,
            broken);
      }
      return Decision.DEFAULT;
    }
  }

  private @Nullable Class<?> listed(Throwable failure) {
    List<Class<? extends Throwable>> all =
        Stream.concat(classes.retryable().stream(), classes.nonRetryable().stream()).toList();
    return causes(failure)
        .flatMap(cause -> all.stream().filter(type -> type.isInstance(cause)))
        .reduce((outer, inner) -> outer.isAssignableFrom(inner) ? inner : outer)
        .<Class<?>>map(type -> type)
        .orElse(null);
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MOST_CAUSES);
  }

  /** Futures wrap what their work failed with. */
  private static Throwable unwrapped(Throwable thrown) {
    Predicate<Throwable> isWrapper =
        it -> it instanceof CompletionException || it instanceof ExecutionException;
    return causes(thrown).filter(isWrapper.negate()).findFirst().orElse(thrown);
  }
}
