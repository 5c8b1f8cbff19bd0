package dev.millrace.config;

import static dev.millrace.config.DeliverySemantics.AT_LEAST_ONCE;
import static dev.millrace.config.DeliverySemantics.AT_MOST_ONCE;
import static dev.millrace.config.DeliverySemantics.EXACTLY_ONCE;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Which of Kafka's own settings may not be set because Millrace sets them, and which would break
 * the promise of a {@code delivery-semantics}.
 */
record ClientSettingRules(List<Clash> clashes) {

  /** Settings that Millrace owns, and what to write instead. */
  static final Map<String, String> RESERVED =
      Map.ofEntries(
          Map.entry("bootstrap.servers", "write 'bootstrap-servers' instead"),
          Map.entry("group.id", "write 'group-id' instead"),
          Map.entry("group.instance.id", "write 'group-instance-id' instead"),
          Map.entry("auto.offset.reset", "write 'on-missing-offset' instead"),
          Map.entry("enable.auto.commit", "write 'commit-interval' instead"),
          Map.entry("auto.commit.interval.ms", "write 'commit-interval' instead"),
          Map.entry("key.serializer", "write 'format' instead"),
          Map.entry("value.serializer", "write 'format' instead"),
          Map.entry("key.deserializer", "write 'format' instead"),
          Map.entry("value.deserializer", "write 'format' instead"),
          Map.entry("transaction.timeout.ms", "write 'transaction.timeout' instead"),
          Map.entry("transactional.id", "write 'delivery-semantics: exactly-once' instead"));

  private static final String IN_FLIGHT = "max.in.flight.requests.per.connection";

  /**
   * The brokers remember so many batches of an idempotent producer, by which they keep its order.
   */
  private static final Set<String> IN_ORDER = Set.of("1", "2", "3", "4", "5");

  static final ClientSettingRules PRODUCER =
      new ClientSettingRules(
          List.of(
              new Clash(AT_LEAST_ONCE, "acks", Set.of("all", "-1"), true),
              new Clash(AT_LEAST_ONCE, IN_FLIGHT, IN_ORDER, true),
              new Clash(EXACTLY_ONCE, "acks", Set.of("all", "-1"), true),
              new Clash(EXACTLY_ONCE, "retries", Set.of("0"), false),
              new Clash(EXACTLY_ONCE, IN_FLIGHT, IN_ORDER, true),
              new Clash(EXACTLY_ONCE, "enable.idempotence", Set.of("true"), true),
              new Clash(AT_MOST_ONCE, "retries", Set.of("0"), true),
              new Clash(AT_MOST_ONCE, "enable.idempotence", Set.of("true"), false)));

  static final ClientSettingRules CONSUMER =
      new ClientSettingRules(
          List.of(new Clash(EXACTLY_ONCE, "isolation.level", Set.of("read_committed"), true)));

  /** Refuses what is set against the promise, as a client setting or as a key of our own. */
  void refuseContradictions(DeliverySemantics semantics, Fields in, Problems problems) {
    if (!in.isSound("delivery-semantics")) {
      return;
    }
    Fields settings = in.in("properties");
    for (Clash clash : clashes) {
      if (clash.semantics() == semantics) {
        clash.refuse(settings, clash.setting(), in, problems);
        clash.refuse(in, clash.setting().replace('.', '-'), in, problems);
      }
    }
  }

  /**
   * A promise and the values of a setting that keep (or break) it.
   *
   * @param keeps whether only the values keep the promise; else they are what breaks it
   */
  record Clash(DeliverySemantics semantics, String setting, Set<String> values, boolean keeps) {

    private void refuse(Fields holder, String key, Fields client, Problems problems) {
      String value = holder.optional(key, ScalarType.ANY_TEXT);
      if (value != null
          && holder.isSound(key)
          && values.contains(value.toLowerCase(Locale.ROOT)) != keeps) {
        Place place = holder.place(key);
        String promise = client.cite("delivery-semantics", Spelling.kebab(semantics), place);
        problems.add(place, holder.shown(key) + " contradicts " + promise, "change one of them");
      }
    }
  }
}
