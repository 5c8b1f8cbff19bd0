package dev.millrace.config;

import java.util.List;
import java.util.regex.Pattern;

/** Part of step 5: what retry topics don't go with, and what they can't be called. */
final class RetryTopicRules {
  private static final String TOPICS = "topics";
  private static final String KEEP_KEY_ORDER = "keep-key-order";

  private RetryTopicRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    Fields retry = in.in("retry");
    refuseKeyOrderWithoutUse(consumer, retry, problems);
    if (consumer.retry().topics().levels() == 0 || !retry.isSound(TOPICS)) {
      return;
    }
    if (consumer.deliverySemantics() == DeliverySemantics.AT_MOST_ONCE) {
      refuse(
          "delivery-semantics", "another attempt would handle a record twice", in, retry, problems);
    }
    if (consumer.mode() == ConsumerMode.QUEUE) {
      refuse(
          "mode",
          "the brokers hand out what lies in a topic at once, due or not",
          in,
          retry,
          problems);
    }
    if (consumer.mode() == ConsumerMode.BROADCAST) {
      refuse(
          "mode", "what one process could not handle would go to all of them", in, retry, problems);
    }
    if (consumer.subscription() instanceof Subscription.Partitions) {
      refuse("partitions", "nobody deals out the partitions of a retry topic", in, retry, problems);
    }
    refuseCapturingPattern(consumer, in, problems);
    checkKeyOrder(consumer, in, retry, problems);
    requireNames(consumer, in, retry, problems);
  }

  /** A default is left alone: it is for those of the consumers that have retry topics. */
  private static void refuseKeyOrderWithoutUse(
      ConsumerDefinition consumer, Fields retry, Problems problems) {
    Place place = retry.place(KEEP_KEY_ORDER);
    if (consumer.retry().topics().keepKeyOrder()
        && (!retry.has(TOPICS) || retry.isEmptyList(TOPICS))
        && !place.isDefault()) {
      problems.add(
          place, "is of no use without retry topics", "write 'topics' beside it, or remove it");
    }
  }

  private static void checkKeyOrder(
      ConsumerDefinition consumer, Fields in, Fields retry, Problems problems) {
    if (!consumer.retry().topics().keepKeyOrder()) {
      return;
    }
    if (consumer.ordering() != Ordering.KEY && in.isSound("ordering")) {
      refuseKeyOrder("ordering", "it is the order of keys that would be kept", in, retry, problems);
    }
    if (consumer.deliverySemantics() == DeliverySemantics.EXACTLY_ONCE) {
      refuseKeyOrder(
          "delivery-semantics",
          "where a record stands in a retry topic is not known before its transaction is committed",
          in,
          retry,
          problems);
    }
  }

  private static void refuseKeyOrder(
      String key, String because, Fields in, Fields retry, Problems problems) {
    Place place = retry.place(KEEP_KEY_ORDER);
    problems.add(
        place,
        "contradicts " + in.cite(key, "", place) + ", since " + because,
        "remove one of them");
  }

  /** The client gets one pattern for topics and retry topics, in which the user's stands twice. */
  private static void refuseCapturingPattern(
      ConsumerDefinition consumer, Fields in, Problems problems) {
    if (consumer.subscription() instanceof Subscription.Matching matching
        && Pattern.compile(matching.regex()).matcher("").groupCount() > 0) {
      problems.add(
          in.place("topics-pattern"),
          "has a group that captures, which can't stand beside retry.topics",
          "write (?:…) in the place of (…)");
    }
  }

  private static void refuse(
      String key, String because, Fields in, Fields retry, Problems problems) {
    Place place = retry.place(TOPICS);
    problems.add(
        place,
        "contradicts " + in.cite(key, "", place) + ", since " + because,
        "remove it, or write 'topics: []' for this one where 'defaults' say it");
  }

  /**
   * What a pattern finds has names of the topics' alphabet; only the group's own is in question.
   */
  private static void requireNames(
      ConsumerDefinition consumer, Fields in, Fields retry, Problems problems) {
    if (!in.isSound("group-id") || !retry.isSound("topic-names")) {
      return;
    }
    RetryTopicsDefinition retries = consumer.retry().topics();
    boolean pattern = consumer.subscription() instanceof Subscription.Matching;
    for (String topic : pattern ? List.of("t") : consumer.topics()) {
      for (int level = 1; level <= retries.levels(); level++) {
        String name = retries.name(topic, consumer.groupId(), level);
        if (ScalarType.TOPIC.parse().apply(name).isEmpty()) {
          problems.add(
              in.place("group-id"),
              "makes a retry topic that can't have its name, " + retries.names(),
              "write a group-id of a-z A-Z 0-9 . _ -, or shorter 'retry.topic-names'");
          return;
        }
        if (consumer.topics().contains(name)) {
          problems.add(
              in.place(TOPICS),
              "holds a retry topic of " + topic,
              "remove it: the consumer reads its retry topics by itself");
          return;
        }
        DeadLetterDefinition deadLetter = consumer.deadLetter();
        if (deadLetter != null && name.equals(deadLetter.topic())) {
          problems.add(
              in.in("dead-letter").place("topic"),
              "is a retry topic of " + topic,
              "write another name");
          return;
        }
      }
    }
  }
}
