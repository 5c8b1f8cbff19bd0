package dev.millrace.config;

import java.time.Duration;
import java.util.List;

/** Step 5: what must be there, and what must fit together. */
final class Validator {
  private final Problems problems;

  Validator(Problems problems) {
    this.problems = problems;
  }

  void producer(ProducerDefinition producer, Fields in) {
    requireServers(producer.bootstrapServers(), in);
    in.refuseRepeated("topics");
    refuseTwoWordsOnIdempotence(in);
    ClientSettingRules.PRODUCER.refuseContradictions(producer.deliverySemantics(), in, problems);
  }

  void consumer(ConsumerDefinition consumer, Fields in) {
    requireServers(consumer.bootstrapServers(), in);
    SubscriptionRules.check(in, problems);
    require(consumer.groupId().isEmpty(), in, "group-id", "write the consumer group's name");
    if (consumer.mode() == ConsumerMode.QUEUE) {
      QueueRules.check(consumer, in, problems);
    } else {
      GroupRules.check(consumer, in, problems);
    }
    refuseSecondAttempt(consumer, in);
    refuseLaneWithoutKeys(consumer, in);
    requirePermitForEachInstance(consumer, in);
    refuseInstancesOfFixedPartitions(consumer, in);
    requireRoomInChannel(consumer, in);
    requireRoomForBatch(consumer, in);
    if (consumer.deliverySemantics() == DeliverySemantics.EXACTLY_ONCE) {
      refuseExactlyOnceOutsideOfGroup(consumer, in);
      requireCommitsWithinTransaction(consumer, in);
    }
    requireGrowingBackoff(consumer.retry().backoff(), in.in("retry").in("backoff"));
    refuseOwnTopicAsDeadLetter(consumer, in.in("dead-letter"));
    requireDeadLetterTopicName(consumer, in);
    FailurePolicyRules.check(consumer, in, problems);
    requireDeadLetterForWatchdog(consumer, in.in("handler-watchdog"));
    refuseIdempotencyWithoutUse(consumer, in);
    FailureClassRules.check(consumer, in, problems);
    RetryTopicRules.check(consumer, in, problems);
    StartRules.check(consumer, in, problems);
    ClientSettingRules.CONSUMER.refuseContradictions(consumer.deliverySemantics(), in, problems);
  }

  private void requireServers(List<String> servers, Fields in) {
    require(servers.isEmpty(), in, "bootstrap-servers", "write host:port here or under 'common'");
  }

  private void require(boolean missing, Fields in, String key, String hint) {
    if (!missing) {
      return;
    }
    if (!in.has(key)) {
      problems.add(in.place(key), "is missing", hint);
    } else if (in.isEmptyList(key)) {
      problems.add(in.place(key), "is empty", hint);
    }
  }

  private void refuseTwoWordsOnIdempotence(Fields in) {
    Fields settings = in.in("properties");
    if (in.has("enable-idempotence") && settings.has("enable.idempotence")) {
      Place place = settings.place("enable.idempotence");
      problems.add(
          place, "stands beside " + in.cite("enable-idempotence", "", place), "keep one of them");
    }
  }

  private void refuseSecondAttempt(ConsumerDefinition consumer, Fields in) {
    Fields retry = in.in("retry");
    if (consumer.deliverySemantics() == DeliverySemantics.AT_MOST_ONCE
        && consumer.retry().maxAttempts() > 1
        && retry.isSound("max-attempts")) {
      Place place = retry.place("max-attempts");
      problems.add(
          place,
          retry.shown("max-attempts")
              + " contradicts "
              + in.cite("delivery-semantics", "at-most-once", place)
              + ", since another attempt would handle a record twice",
          "write 1 or remove it, or write 'delivery-semantics: at-least-once'");
    }
  }

  private void refuseLaneWithoutKeys(ConsumerDefinition consumer, Fields in) {
    if (consumer.keylessRecords() == KeylessRecords.LANE
        && consumer.ordering() != Ordering.KEY
        && in.isSound("ordering")) {
      Place place = in.place("keyless-records");
      problems.add(
          place,
          "lane is of no use under " + in.cite("ordering", "", place),
          "remove it, or write 'spread' where a default says lane");
    }
  }

  private void requireRoomInChannel(ConsumerDefinition consumer, Fields in) {
    if (consumer.channelCapacity() < consumer.concurrency()) {
      refuse(in, "channel-capacity", "concurrency", Integer.toString(Defaults.CONCURRENCY));
    }
  }

  /** A default that does not fit is left alone: it may be a consumer without batches. */
  private void requireRoomForBatch(ConsumerDefinition consumer, Fields in) {
    Fields batch = in.in("batch");
    if (batch.has("max-records")
        && batch.isSound("max-records")
        && in.isSound("channel-capacity")
        && in.isSound("instances")
        && consumer.batch().maxRecords() > consumer.channelCapacity() / consumer.instances()) {
      Place place = batch.place("max-records");
      String room = in.cite("channel-capacity", "", place);
      problems.add(
          place,
          consumer.instances() == 1
              ? "is more than " + room
              : "is more than " + room + " has for each of " + in.cite("instances", "", place),
          null);
    }
  }

  private void requirePermitForEachInstance(ConsumerDefinition consumer, Fields in) {
    if (consumer.concurrency() < consumer.instances()
        && in.isSound("concurrency")
        && in.isSound("instances")) {
      Place place = in.place("instances");
      problems.add(
          place,
          "is more than "
              + in.cite("concurrency", Integer.toString(Defaults.CONCURRENCY), place)
              + ", which they divide",
          "raise concurrency, or write fewer instances");
    }
  }

  /** Without a group nobody deals the partitions out. */
  private void refuseInstancesOfFixedPartitions(ConsumerDefinition consumer, Fields in) {
    if (consumer.instances() > 1
        && in.isSound("instances")
        && consumer.subscription() instanceof Subscription.Partitions) {
      Place place = in.place("instances");
      problems.add(
          place,
          "can't be more than 1 beside partitions ("
              + in.place("partitions").lineSeenFrom(place)
              + "), since each instance would read all of them",
          "remove it, or define a consumer for each part of the partitions");
    }
  }

  /** It is by the group's generation that the brokers refuse the commit of a former owner. */
  private void refuseExactlyOnceOutsideOfGroup(ConsumerDefinition consumer, Fields in) {
    if (consumer.subscription() instanceof Subscription.Partitions
        && in.isSound("delivery-semantics")) {
      Place place = in.place("delivery-semantics");
      problems.add(
          place,
          "can't be exactly-once beside partitions ("
              + in.place("partitions").lineSeenFrom(place)
              + "), since only a member of the group is kept from copying what another one copies",
          "write topics instead, or 'delivery-semantics: at-least-once'");
    }
  }

  /** A transaction that is still open when its time is up is aborted, and its work done again. */
  private void requireCommitsWithinTransaction(ConsumerDefinition consumer, Fields in) {
    Fields transaction = in.in("transaction");
    if (consumer.commitInterval().multipliedBy(2).compareTo(consumer.transaction().timeout()) > 0
        && in.isSound("commit-interval")
        && transaction.isSound("timeout")) {
      Place place = in.place("commit-interval");
      problems.add(
          place,
          "is more than half of the transaction's "
              + transaction.cite("timeout", Defaults.SLICE_TIMEOUT.toSeconds() + "s", place),
          "commit more often, or raise the time-out");
    }
  }

  private void requireGrowingBackoff(BackoffDefinition backoff, Fields in) {
    if (backoff.max().compareTo(backoff.initial()) < 0) {
      if (in.has("max")) {
        refuse(in, "max", "initial", shown(Defaults.BACKOFF_INITIAL));
      } else if (in.isSound("initial")) {
        problems.add(
            in.place("initial"),
            "is longer than max " + shown(Defaults.BACKOFF_MAX) + " (the default)",
            "write max as well");
      }
    }
  }

  private void refuse(Fields in, String key, String least, String leastWhenAbsent) {
    if (in.isSound(key) && in.isSound(least)) {
      Place place = in.place(key);
      problems.add(place, "is less than " + in.cite(least, leastWhenAbsent, place), null);
    }
  }

  private void refuseOwnTopicAsDeadLetter(ConsumerDefinition consumer, Fields in) {
    DeadLetterDefinition deadLetter = consumer.deadLetter();
    if (deadLetter != null
        && deadLetter.topic() != null
        && consumer.topics().contains(deadLetter.topic())) {
      problems.add(in.place("topic"), "is a topic this consumer reads itself", null);
    }
  }

  private void requireDeadLetterTopicName(ConsumerDefinition consumer, Fields in) {
    DeadLetterDefinition deadLetter = consumer.deadLetter();
    if (deadLetter == null || deadLetter.topic() != null || !in.isSound("group-id")) {
      return;
    }
    // What a pattern finds has names of the topics' alphabet; only the group's own is in question.
    boolean pattern = consumer.subscription() instanceof Subscription.Matching;
    for (String topic : pattern ? List.of("t") : consumer.topics()) {
      String name = topic + "." + consumer.groupId() + ".dlq";
      if (ScalarType.TOPIC.parse().apply(name).isEmpty()) {
        problems.add(
            in.place("group-id"),
            "makes a dead-letter topic that can't have its name, {topic}.{group-id}.dlq",
            "write 'dead-letter.topic', or a group-id of a-z A-Z 0-9 . _ -");
        return;
      }
      if (consumer.topics().contains(name)) {
        problems.add(
            in.place("topics"),
            "holds the dead-letter topic of " + topic,
            "write 'dead-letter.topic', or read it by a consumer of its own");
      }
    }
  }

  private void requireDeadLetterForWatchdog(ConsumerDefinition consumer, Fields in) {
    if (consumer.handlerWatchdog().policy() == WatchdogPolicy.DEAD_LETTER
        && consumer.deadLetter() == null) {
      problems.add(
          in.place("policy"),
          "dead-letter has no topic to go to",
          "write 'dead-letter: {}' for this consumer, or another policy");
    }
  }

  /** Of the other promises one never handles a record again, the other has no effects outside. */
  private void refuseIdempotencyWithoutUse(ConsumerDefinition consumer, Fields in) {
    IdempotencyDefinition idempotency = consumer.idempotency();
    if (idempotency == null) {
      return;
    }
    Place place = in.place("idempotency");
    if (consumer.deliverySemantics() != DeliverySemantics.AT_LEAST_ONCE
        && in.isSound("delivery-semantics")) {
      problems.add(
          place,
          "contradicts "
              + in.cite("delivery-semantics", "", place)
              + ", whose end of a record is not the store's",
          "remove it ('enabled: false' where a default has it), or write 'delivery-semantics: at-least-once'");
    }
    Fields its = in.in("idempotency");
    if (idempotency.key() == MessageIdKey.RECORD_KEY && its.has("header")) {
      Place header = its.place("header");
      problems.add(header, "is of no use under " + its.cite("key", "", header), "remove it");
    }
  }

  private static String shown(Duration duration) {
    return duration.toMillis() + "ms";
  }
}
