package dev.millrace.config;

import java.util.List;
import java.util.regex.Pattern;

/** What a consumer reads. */
public sealed interface Subscription {

  /** Returns the topics that are known by name; empty when they are found by a pattern. */
  List<String> topics();

  /** Returns the subscription to these topics. */
  static Subscription toTopics(String... names) {
    return new Topics(List.of(names));
  }

  /**
   * These topics; the group shares their partitions out.
   *
   * @param topics their names, at least one
   */
  record Topics(List<String> topics) implements Subscription {
    public Topics {
      topics = List.copyOf(topics);
    }

    @Override
    public String toString() {
      return topics.toString();
    }
  }

  /**
   * All topics whose whole name matches, also those that come to be later; the group shares their
   * partitions out. Kafka's internal topics, and this group's own dead-letter and retry topics, are
   * left out whatever the pattern says; those of other groups, by their default names, unless it
   * says {@code dlq} or {@code retry}.
   *
   * @param regex a {@link Pattern}, also when it stands in a group
   */
  record Matching(String regex) implements Subscription {

    /**
     * Reads the pattern.
     *
     * @throws java.util.regex.PatternSyntaxException when it is none
     */
    public Matching {
      var unused = compiled(regex);
      unused = compiled(inGroup(regex));
    }

    @Override
    public List<String> topics() {
      return List.of();
    }

    /**
     * Returns the pattern for names that match, but not any of these others.
     *
     * @param others regular expressions for whole names
     */
    public Pattern except(List<String> others) {
      return compiled("(?!(?:" + String.join("|", others) + ")$)" + inGroup(regex));
    }

    private static Pattern compiled(String regex) {
      return Pattern.compile(regex);
    }

    private static String inGroup(String regex) {
      return "(?:" + regex + ")";
    }

    @Override
    public String toString() {
      return "all that match '" + regex + "'";
    }
  }

  /**
   * These partitions and no others. The consumer is no member of its group, which nobody else may
   * use meanwhile, and commits its offsets there.
   *
   * @param partitions at least one, none twice
   */
  record Partitions(List<Partition> partitions) implements Subscription {
    public Partitions {
      partitions = List.copyOf(partitions);
    }

    @Override
    public List<String> topics() {
      return partitions.stream().map(Partition::topic).distinct().toList();
    }

    @Override
    public String toString() {
      return partitions.toString();
    }
  }

  /**
   * One partition of a topic.
   *
   * @param number from 0
   */
  record Partition(String topic, int number) {

    /** Returns it as it is written in a file. */
    @Override
    public String toString() {
      return topic + "-" + number;
    }
  }
}
