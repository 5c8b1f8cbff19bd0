package dev.millrace.internal.delivery;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.config.Subscription.Matching;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which retry topics a consumer has, and which of them a topic is. Immutable.
 *
 * <p>Invariant: no two topics of a consumer, and no two levels, share a retry topic; so a record in
 * one of them has one level and one topic that it came from.
 */
public final class RetryTopics {
  private static final String TOPIC = "{topic}";

  private final String group;
  private final RetryTopicsDefinition definition;
  private final Map<String, Own> named = new LinkedHashMap<>();
  private final @Nullable Predicate<String> found;

  /**
   * A retry topic.
   *
   * @param level from 1
   * @param source the topic whose records it takes
   */
  public record Own(int level, String source) {}

  public RetryTopics(ConsumerDefinition consumer) {
    this.group = consumer.groupId();
    this.definition = consumer.retry().topics();
    for (String source : consumer.topics()) {
      for (int level = 1; level <= levels(); level++) {
        named.put(topic(source, level), new Own(level, source));
      }
    }
    this.found =
        consumer.subscription() instanceof Matching matching
            ? Pattern.compile(matching.regex()).asMatchPredicate()
            : null;
  }

  /** Returns how many each topic has. */
  public int levels() {
    return definition.levels();
  }

  /**
   * Returns how long a record waits.
   *
   * @param level from 1
   */
  public Duration delay(int level) {
    return definition.delays().get(level - 1);
  }

  /** Returns which retry topic it is; null when it is none of this consumer's. */
  public @Nullable Own own(String topic) {
    Own own = named.get(topic);
    for (int level = 1; own == null && found != null && level <= levels(); level++) {
      String source = source(topic, level);
      own = source != null && found.test(source) ? new Own(level, source) : null;
    }
    return own;
  }

  private @Nullable String source(String topic, int level) {
    // A name with {topic} left in place: what stands around it is the level's own.
    String names = definition.name(TOPIC, group, level);
    String before = names.substring(0, names.indexOf(TOPIC));
    String after = names.substring(before.length() + TOPIC.length());
    return topic.length() > before.length() + after.length()
            && topic.startsWith(before)
            && topic.endsWith(after)
        ? topic.substring(before.length(), topic.length() - after.length())
        : null;
  }

  /** Returns the topic whose retry topics and dead letters those of this one are. */
  String source(String topic) {
    Own own = levels() == 0 ? null : own(topic);
    return own == null ? topic : own.source();
  }

  /** Returns the retry topic of a topic's records. */
  public String topic(String source, int level) {
    return definition.name(source, group, level);
  }

  /** Returns those that are known by name. */
  public Set<String> names() {
    return named.keySet();
  }

  /** Returns the same, each with the topic it serves. */
  public Map<String, String> sources() {
    Map<String, String> sources = new LinkedHashMap<>();
    named.forEach((topic, own) -> sources.put(topic, own.source()));
    return sources;
  }

  /**
   * Returns, as a regular expression for whole names, the retry topics of what matches.
   *
   * @param sources a regular expression
   */
  public String regex(String sources) {
    return regex(
        IntStream.rangeClosed(1, levels())
            .mapToObj(Integer::toString)
            .collect(Collectors.joining("|")),
        sources);
  }

  /** Returns the same of all topics, and also of levels that there are no longer, or not yet. */
  String regexOfAll() {
    return regex("[0-9]+", ".+");
  }

  private String regex(String levels, String sources) {
    // The names' own characters are those of topics; of these only the dot is special.
    return definition
        .names()
        .replace(".", "\\.")
        .replace("{n}", "(?:" + levels + ")")
        .replace("{group-id}", Pattern.quote(group))
        .replace(TOPIC, "(?:" + sources + ")");
  }
}
