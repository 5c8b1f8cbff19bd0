package dev.millrace.config;

import java.util.List;
import java.util.Map;

/**
 * Part of step 5: what a consumer says of its group must fit its protocol. The Kafka client refuses
 * the same settings, but when it is made, and with no word of where they stand.
 */
final class GroupRules {
  private static final Map<GroupProtocol, Map<String, String>> FOREIGN =
      Map.of(
          GroupProtocol.CLASSIC,
          Map.of(
              "group.remote.assignor",
              "remove it, or write 'group-protocol: consumer'; members assign by"
                  + " 'partition.assignment.strategy'"),
          GroupProtocol.CONSUMER,
          Map.of(
              "session.timeout.ms",
              "remove it; the broker's 'group.consumer.session.timeout.ms' holds, or the group's own"
                  + " 'consumer.session.timeout.ms'",
              "heartbeat.interval.ms",
              "remove it; the broker's 'group.consumer.heartbeat.interval.ms' holds, or the group's"
                  + " own 'consumer.heartbeat.interval.ms'",
              "partition.assignment.strategy",
              "remove it; the broker assigns, as 'group.remote.assignor' says"));

  private static final List<String> SETTINGS_OF_MEMBERS =
      List.of(
          "session.timeout.ms",
          "heartbeat.interval.ms",
          "partition.assignment.strategy",
          "group.remote.assignor");

  private GroupRules() {}

  static void check(ConsumerDefinition consumer, Fields in, Problems problems) {
    if (consumer.mode() == ConsumerMode.BROADCAST && in.has("partitions")) {
      refuseBesidePartitions(
          in.place("mode"),
          in,
          "remove it: each process that names the same partitions reads them all; give each a"
              + " group-id of its own",
          problems);
    }
    Fields settings = in.in("properties");
    if (in.has("group-protocol") && settings.has("group.protocol")) {
      Place place = settings.place("group.protocol");
      problems.add(
          place, "stands beside " + in.cite("group-protocol", "", place), "keep one of them");
    } else if (in.isSound("group-protocol") && settings.isSound("group.protocol")) {
      if (consumer.subscription() instanceof Subscription.Partitions) {
        refuseMembership(consumer.membership().protocol(), in, settings, problems);
      } else {
        refuseForeign(consumer.membership().protocol(), in, settings, problems);
      }
    }
  }

  private static void refuseMembership(
      GroupProtocol protocol, Fields in, Fields settings, Problems problems) {
    String hint = "remove it: a consumer of fixed partitions is no member of its group";
    if (in.has("group-instance-id")) {
      refuseBesidePartitions(in.place("group-instance-id"), in, hint, problems);
    }
    for (String setting : SETTINGS_OF_MEMBERS) {
      if (settings.has(setting)) {
        refuseBesidePartitions(settings.place(setting), in, hint, problems);
      }
    }
    if (protocol == GroupProtocol.CONSUMER) {
      refuseBesidePartitions(
          settings.has("group.protocol")
              ? settings.place("group.protocol")
              : in.place("group-protocol"),
          in,
          hint + "; where 'defaults' say it, write 'classic' for this one",
          problems);
    }
  }

  private static void refuseBesidePartitions(
      Place place, Fields in, String hint, Problems problems) {
    problems.add(
        place,
        "is of no use beside partitions (" + in.place("partitions").lineSeenFrom(place) + ")",
        hint);
  }

  private static void refuseForeign(
      GroupProtocol protocol, Fields in, Fields settings, Problems problems) {
    FOREIGN
        .getOrDefault(protocol, Map.of())
        .forEach(
            (setting, instead) -> {
              if (settings.has(setting)) {
                Place place = settings.place(setting);
                String because =
                    settings.has("group.protocol")
                        ? settings.cite("group.protocol", "", place)
                        : in.cite("group-protocol", Spelling.kebab(protocol), place);
                problems.add(place, "is no setting of " + because, instead);
              }
            });
  }
}
