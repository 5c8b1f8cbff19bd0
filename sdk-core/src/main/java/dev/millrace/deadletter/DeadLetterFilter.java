package dev.millrace.deadletter;

import java.time.Instant;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;

/**
 * Which dead letters are meant: each condition narrows it down. Immutable; any thread.
 *
 * <pre>{@code
 * DeadLetterFilter.all().since(yesterday).cause("SocketTimeoutException").origin("orders")
 * }</pre>
 */
public final class DeadLetterFilter {
  private static final DeadLetterFilter ALL = new DeadLetterFilter(letter -> true);

  private final Predicate<DeadLetter> condition;

  private DeadLetterFilter(Predicate<DeadLetter> condition) {
    this.condition = condition;
  }

  /** Returns the filter that all dead letters of the group pass. */
  public static DeadLetterFilter all() {
    return ALL;
  }

  /** Given up at this time or later, by the dead letter's timestamp. */
  public DeadLetterFilter since(Instant from) {
    return and(letter -> !letter.time().isBefore(from));
  }

  /** Given up before this time, by the dead letter's timestamp. */
  public DeadLetterFilter before(Instant to) {
    return and(letter -> letter.time().isBefore(to));
  }

  /** With this key, as UTF-8 text. */
  public DeadLetterFilter key(String key) {
    return and(letter -> key.equals(letter.key()));
  }

  /**
   * With a failure of this class, of this very one.
   *
   * @param name the class's name with or without its package
   */
  public DeadLetterFilter cause(String name) {
    return and(letter -> letter.cause().equals(name) || letter.cause().endsWith("." + name));
  }

  /**
   * Given up for this reason.
   *
   * @param beginning of what {@link DeadLetter#gaveUp()} says
   */
  public DeadLetterFilter gaveUp(String beginning) {
    return and(letter -> letter.gaveUp().startsWith(beginning));
  }

  /** From this topic. */
  public DeadLetterFilter origin(String topic) {
    return and(letter -> letter.origin().partition().topic().equals(topic));
  }

  /** From this partition. */
  public DeadLetterFilter origin(TopicPartition partition) {
    return and(letter -> letter.origin().partition().equals(partition));
  }

  /**
   * From these offsets of a partition.
   *
   * @param from the first
   * @param to the first that is not meant any more
   */
  public DeadLetterFilter origin(TopicPartition partition, long from, long to) {
    return origin(partition)
        .and(letter -> letter.origin().offset() >= from && letter.origin().offset() < to);
  }

  /** This one dead letter, by its place in the dead-letter topic. */
  public DeadLetterFilter at(TopicPartition deadLetterPartition, long offset) {
    return and(
        letter -> letter.partition().equals(deadLetterPartition) && letter.offset() == offset);
  }

  /** Redriven at least so often before: what keeps coming back. */
  public DeadLetterFilter redrivenAtLeast(int redrives) {
    return and(letter -> letter.redrives() >= redrives);
  }

  /**
   * With whatever else there is to look at.
   *
   * @param other called by the thread that lists or redrives, once for each dead letter that passed
   *     the conditions before; what it throws ends the call
   */
  public DeadLetterFilter and(Predicate<DeadLetter> other) {
    return new DeadLetterFilter(condition.and(other));
  }

  /** Returns whether the dead letter is meant. */
  public boolean matches(DeadLetter letter) {
    return condition.test(letter);
  }
}
