package dev.millrace.internal.deadletter;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.Subscription.Matching;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.delivery.DeadLetters;
import java.util.function.Predicate;

/**
 * Which dead letters are a consumer's. Immutable.
 *
 * @param topics passed by the names of the topics that its dead letters may stand in
 * @param sources passed by the names of the topics that it reads
 */
record Scope(String owner, String group, Predicate<String> topics, Predicate<String> sources) {

  /**
   * Reads the definition.
   *
   * @throws InvalidDefinitionException when the consumer has no dead letters
   */
  static Scope of(ConsumerDefinition definition) {
    String owner = "Consumer '" + definition.name() + "'";
    DeadLetterDefinition deadLetter = definition.deadLetter();
    if (deadLetter == null) {
      throw new InvalidDefinitionException(
          owner + " has no 'dead-letter', so it has no dead letters; configure it.", null);
    }
    return new Scope(
        owner, definition.groupId(), topics(definition, deadLetter), sources(definition));
  }

  private static Predicate<String> topics(
      ConsumerDefinition definition, DeadLetterDefinition deadLetter) {
    if (deadLetter.topic() != null) {
      return deadLetter.topic()::equals;
    }
    return definition.topics().isEmpty()
        ? name -> name.endsWith("." + definition.groupId() + ".dlq")
        : DeadLetters.topics(definition).keySet()::contains;
  }

  private static Predicate<String> sources(ConsumerDefinition definition) {
    return definition.subscription() instanceof Matching matching
        ? matching.except(DeadLetters.notRead(definition, matching)).asMatchPredicate()
        : definition.topics()::contains;
  }
}
