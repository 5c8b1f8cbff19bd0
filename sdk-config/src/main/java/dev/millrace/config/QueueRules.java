package dev.millrace.config;

import java.util.Map;

/**
 * Part of step 5: what a share group has no use for, or can't do. The Kafka client refuses some of
 * it too, but when it is made, and with no word of where it stands.
 */
final class QueueRules {
  private static final String BY_GROUP =
      "remove it; the group's own setting '%s' on the brokers holds";

  private static final Map<String, String> FOREIGN_KEYS =
      Map.of(
          "group-protocol",
          "remove it; a share group has a protocol of its own (KIP-932)",
          "group-instance-id",
          "remove it; a share group has no static members",
          "topics-pattern",
          "write 'topics': a share group reads topics by their names",
          "partitions",
          "write 'topics': the partitions of a share group are nobody's own");

  private static final Map<String, String> FOREIGN_SETTINGS =
      Map.of(
          "group.protocol",
          "remove it; a share group has a protocol of its own (KIP-932)",
          "group.remote.assignor",
          "remove it; the brokers assign",
          "partition.assignment.strategy",
          "remove it; the brokers assign",
          "session.timeout.ms",
          BY_GROUP.formatted("share.session.timeout.ms"),
          "heartbeat.interval.ms",
          BY_GROUP.formatted("share.heartbeat.interval.ms"),
          "isolation.level",
          BY_GROUP.formatted("share.isolation.level"),
          "interceptor.classes",
          "remove it; the share consumer has no interceptors",
          "share.acknowledgement.mode",
          "remove it; each record is acknowledged by itself",
          "share.acquire.mode",
          "remove it; no more is taken than is handled next");

  private QueueRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    refuseForeign(FOREIGN_KEYS, in, in, problems);
    refuseForeign(FOREIGN_SETTINGS, in.in("properties"), in, problems);
    if (consumer.ordering() != Ordering.UNORDERED && in.isSound("ordering")) {
      refuse(
          in,
          "ordering",
          "a share group keeps no order: write 'ordering: unordered' or remove it, or write 'mode: group'",
          problems);
    }
    if (consumer.deliverySemantics() != DeliverySemantics.AT_LEAST_ONCE
        && in.isSound("delivery-semantics")) {
      refuse(
          in,
          "delivery-semantics",
          "a share group hands a record out again when its consumer is lost: write 'at-least-once', or"
              + " write 'mode: group'",
          problems);
    }
    if (consumer.onMissingOffset().start() == MissingOffset.Start.FAIL) {
      refuse(
          in,
          "on-missing-offset",
          "write earliest, latest or by-duration:24h; the brokers know no other start",
          problems);
    }
  }

  private static void refuseForeign(
      Map<String, String> foreign, Fields holder, Fields in, Problems problems) {
    foreign.forEach(
        (key, instead) -> {
          if (holder.has(key)) {
            Place place = holder.place(key);
            problems.add(place, "is no setting of " + in.cite("mode", "", place), instead);
          }
        });
  }

  private static void refuse(Fields in, String key, String hint, Problems problems) {
    Place place = in.place(key);
    problems.add(place, in.shown(key) + " contradicts " + in.cite("mode", "", place), hint);
  }
}
