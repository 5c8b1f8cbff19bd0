package dev.millrace.config;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The grammar of a config file: which keys may stand where. */
sealed interface Shape {
  /** A scalar or a list. */
  Shape VALUE = new Value();

  /** Kafka's own settings, whose names are kept as written. */
  Shape SETTINGS = new Settings();

  Keys BACKOFF =
      new Keys()
          .with("initial", VALUE)
          .with("multiplier", VALUE)
          .with("max", VALUE)
          .with("jitter", VALUE);

  Keys RETRY =
      new Keys()
          .with("max-attempts", VALUE)
          .with("max-duration", VALUE)
          .with("backoff", BACKOFF)
          .with("retryable", VALUE)
          .with("non-retryable", VALUE)
          .with("topics", VALUE)
          .with("topic-names", VALUE)
          .with("create-topics", VALUE)
          .with("keep-key-order", VALUE);

  Keys DEAD_LETTER =
      new Keys()
          .with("enabled", VALUE)
          .with("topic", VALUE)
          .with("create-topic", VALUE)
          .with("oversize", VALUE);

  Keys HANDLER_WATCHDOG = new Keys().with("after", VALUE).with("policy", VALUE);
  Keys BATCH = new Keys().with("max-records", VALUE).with("max-wait", VALUE);

  Keys IDEMPOTENCY =
      new Keys()
          .with("enabled", VALUE)
          .with("key", VALUE)
          .with("header", VALUE)
          .with("missing-id", VALUE)
          .with("lease", VALUE)
          .with("retention", VALUE);

  Keys CIRCUIT_BREAKER =
      new Keys()
          .with("enabled", VALUE)
          .with("failure-rate", VALUE)
          .with("window", VALUE)
          .with("minimum-calls", VALUE)
          .with("open-for", VALUE)
          .with("probes", VALUE);

  Keys RATE_LIMIT = new Keys().with("enabled", VALUE).with("records", VALUE).with("per", VALUE);

  Keys TRANSACTION =
      new Keys()
          .with("id-prefix", VALUE)
          .with("slots", VALUE)
          .with("timeout", VALUE)
          .with("acquire-timeout", VALUE);

  Keys CONSUMER_TRANSACTION =
      new Keys().with("id-prefix", VALUE).with("slices", VALUE).with("timeout", VALUE);

  Keys CLIENT =
      new Keys()
          .with("bootstrap-servers", VALUE)
          .with("delivery-semantics", VALUE)
          .with("format", VALUE)
          .with("profile", VALUE)
          .with("properties", SETTINGS);

  Keys PRODUCER_DEFAULTS =
      CLIENT
          .with("enable-idempotence", VALUE)
          .with("instances", VALUE)
          .with("idle-eviction", VALUE)
          .with("max-in-flight-records", VALUE)
          .with("max-in-flight-bytes", VALUE)
          .with("when-full", VALUE)
          .with("transaction", TRANSACTION);

  Keys PRODUCER = PRODUCER_DEFAULTS.with("name", VALUE).with("topics", VALUE);

  Keys CONSUMER_DEFAULTS =
      CLIENT
          .with("group-id", VALUE)
          .with("mode", VALUE)
          .with("group-protocol", VALUE)
          .with("on-missing-offset", VALUE)
          .with("ordering", VALUE)
          .with("keyless-records", VALUE)
          .with("concurrency", VALUE)
          .with("instances", VALUE)
          .with("handler-threads", VALUE)
          .with("channel-capacity", VALUE)
          .with("channel-bytes", VALUE)
          .with("retry", RETRY)
          .with("dead-letter", DEAD_LETTER)
          .with("on-failure", VALUE)
          .with("handler-watchdog", HANDLER_WATCHDOG)
          .with("batch", BATCH)
          .with("transaction", CONSUMER_TRANSACTION)
          .with("idempotency", IDEMPOTENCY)
          .with("circuit-breaker", CIRCUIT_BREAKER)
          .with("rate-limit", RATE_LIMIT)
          .with("commit-interval", VALUE)
          .with("commit-records", VALUE)
          .with("drain-timeout", VALUE)
          .with("close-timeout", VALUE)
          .with("idle-after", VALUE);

  /** A member's name is not among the defaults: its consumers would throw each other out. */
  Keys CONSUMER =
      CONSUMER_DEFAULTS
          .with("name", VALUE)
          .with("topics", VALUE)
          .with("topics-pattern", VALUE)
          .with("partitions", VALUE)
          .with("group-instance-id", VALUE);

  Keys COMMON =
      new Keys()
          .with("bootstrap-servers", VALUE)
          .with("service-name", VALUE)
          .withAlias("service-short-name", "service-name")
          .with("instance-id", VALUE)
          .with("connect-timeout", VALUE)
          .with("properties", SETTINGS);

  Keys DEFAULTS =
      new Keys().with("producers", PRODUCER_DEFAULTS).with("consumers", CONSUMER_DEFAULTS);

  Keys ROOT =
      new Keys()
          .with("common", COMMON)
          .with("defaults", DEFAULTS)
          .with("producers", new Entries(PRODUCER))
          .with("consumers", new Entries(CONSUMER));

  /** What to do about a key of this shape that has no value. */
  String hintWhenEmpty();

  /** See {@link Shape#VALUE}. */
  record Value() implements Shape {
    @Override
    public String hintWhenEmpty() {
      return "write a value or remove the line";
    }
  }

  /** See {@link Shape#SETTINGS}. */
  record Settings() implements Shape {
    @Override
    public String hintWhenEmpty() {
      return "write {} for the defaults or remove the line";
    }
  }

  /** Producers or consumers: objects by name, or a list of objects that have a name. */
  record Entries(Keys entry) implements Shape {
    @Override
    public String hintWhenEmpty() {
      return "write {} for the defaults or remove the line";
    }
  }

  /** A key in the one spelling that later steps know. */
  record Key(String name, Shape shape) {}

  /** An object with known keys, found by their folded spelling. */
  record Keys(Map<String, Key> bySpelling) implements Shape {
    Keys() {
      this(Map.of());
    }

    Keys with(String name, Shape shape) {
      return with(name, new Key(name, shape));
    }

    Keys withAlias(String alias, String name) {
      return with(alias, bySpelling.getOrDefault(Spelling.folded(name), new Key(name, VALUE)));
    }

    private Keys with(String spelling, Key key) {
      Map<String, Key> all = new LinkedHashMap<>(bySpelling);
      all.put(Spelling.folded(spelling), key);
      return new Keys(all);
    }

    @Nullable Key find(String name) {
      return bySpelling.get(Spelling.folded(name));
    }

    boolean knows(String name) {
      return find(name) != null;
    }

    Collection<String> names() {
      return bySpelling.values().stream().map(Key::name).distinct().toList();
    }

    @Override
    public String hintWhenEmpty() {
      return "write {} for the defaults or remove the line";
    }
  }
}
