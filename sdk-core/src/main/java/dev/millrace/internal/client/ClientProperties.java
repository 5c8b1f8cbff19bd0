package dev.millrace.internal.client;

import dev.millrace.config.ClientSettingNames;
import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Format;
import dev.millrace.config.GroupMembership;
import dev.millrace.config.GroupProtocol;
import dev.millrace.config.NearestNames;
import dev.millrace.config.PoolDefinition;
import dev.millrace.config.ProducerDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.config.TransactionDefinition;
import dev.millrace.config.TuningProfile;
import dev.millrace.errors.InvalidDefinitionException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * From a definition to the Kafka client's settings. Later wins: tuning profile, promise, the
 * definition's raw properties; and last what the engine stands on, which nobody may change.
 */
public final class ClientProperties {
  private static final TransactionDefinition NO_TRANSACTIONS =
      new TransactionDefinition(null, 1, Duration.ofMinutes(1), Duration.ZERO);
  private static final int MAX_POLL_RECORDS = 500;
  private static final String LARGEST_REQUEST = "104857600";
  private static final List<String> ACCESS_PREFIXES = List.of("security.", "ssl.", "sasl.");

  private final @Nullable String serviceName;

  public ClientProperties(@Nullable String serviceName) {
    this.serviceName = serviceName;
  }

  /** Returns the names that the producer and the consumer client on the classpath know. */
  public static ClientSettingNames knownNames() {
    return new ClientSettingNames(
        ProducerConfig.configNames(), ConsumerConfig.configNames(), classSettings());
  }

  /** Those that hold one class say so; of lists, Kafka does not say what is in them. */
  private static Set<String> classSettings() {
    return Stream.concat(
            Stream.of(
                ProducerConfig.INTERCEPTOR_CLASSES_CONFIG,
                CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG,
                ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG),
            Stream.of(ProducerConfig.configDef(), ConsumerConfig.configDef())
                .flatMap(definitions -> definitions.configKeys().values().stream())
                .filter(key -> key.type() == ConfigDef.Type.CLASS)
                .map(key -> key.name))
        .collect(Collectors.toSet());
  }

  /** Returns a producer's settings. */
  public Map<String, Object> producer(ProducerDefinition definition) {
    if (definition.deliverySemantics() == DeliverySemantics.EXACTLY_ONCE) {
      throw new InvalidDefinitionException(
          "Producer '%s' has 'delivery-semantics: exactly-once', so what it sends belongs to transactions; use createTransactionalProducer."
              .formatted(definition.name()),
          null);
    }
    return producerSettings(definition);
  }

  Map<String, Object> producerSettings(ProducerDefinition definition) {
    String owner = "Producer '" + definition.name() + "'";
    requireKnown(owner, definition.properties(), ProducerConfig.configNames());
    Map<String, Object> settings = new TreeMap<>(TuningProfiles.producer(definition.profile()));
    settings.putAll(Presets.producer(definition.deliverySemantics()));
    if (definition.enableIdempotence() != null) {
      settings.put(
          ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, definition.enableIdempotence().toString());
    }
    settings.putAll(definition.properties());
    keepOrder(owner, definition, settings);
    settings.put(
        CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
        String.join(",", definition.bootstrapServers()));
    settings.putIfAbsent(CommonClientConfigs.CLIENT_ID_CONFIG, clientId(definition.name()));
    settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    parsed(owner, ProducerConfig.configDef(), settings);
    return settings;
  }

  /** Without idempotence, a batch that is sent again could be overtaken by the next one. */
  private static void keepOrder(
      String owner, ProducerDefinition definition, Map<String, Object> settings) {
    boolean idempotent =
        Boolean.parseBoolean(
            String.valueOf(settings.get(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG)));
    if (idempotent || definition.deliverySemantics() != DeliverySemantics.AT_LEAST_ONCE) {
      return;
    }
    Object inFlight =
        settings.putIfAbsent(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, "1");
    if (inFlight != null && !inFlight.equals("1")) {
      throw new InvalidDefinitionException(
          "%s: without idempotence, max.in.flight.requests.per.connection: %s would let records of a key overtake each other; set it to 1, or leave idempotence on."
              .formatted(owner, inFlight),
          null);
    }
  }

  /** Returns a consumer's settings. */
  public ConsumerSettings consumer(ConsumerDefinition definition) {
    return consumer(definition, group(definition));
  }

  /**
   * Returns the settings of one instance of a consumer.
   *
   * @param group what {@link #group} said of the whole consumer
   */
  public ConsumerSettings consumer(ConsumerDefinition definition, String group) {
    requireOffered("Consumer '" + definition.name() + "'", definition);
    return consumerSettings(definition, group);
  }

  ConsumerSettings consumerSettings(ConsumerDefinition definition, String group) {
    String owner = "Consumer '" + definition.name() + "'";
    requireKnown(owner, definition.properties(), ConsumerConfig.configNames());
    Map<String, Object> settings = new TreeMap<>(TuningProfiles.consumer(definition.profile()));
    settings.putAll(Presets.consumer(definition.deliverySemantics()));
    settings.put(
        ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
        Math.max(1, Math.min(mostPolled(definition), definition.channelCapacity() / 4)));
    settings.putAll(definition.properties());
    if (definition.mode() == ConsumerMode.QUEUE) {
      queue(settings);
    } else {
      group(owner, definition, settings);
    }
    settings.put(
        CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
        String.join(",", definition.bootstrapServers()));
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    settings.putIfAbsent(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    settings.putIfAbsent(CommonClientConfigs.CLIENT_ID_CONFIG, clientId(definition.name()));
    settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return sound(owner, definition, settings);
  }

  /** The loader tells the same of a file, with the lines. */
  private static void requireOffered(String owner, ConsumerDefinition definition) {
    if (definition.deliverySemantics() == DeliverySemantics.AT_MOST_ONCE) {
      if (definition.mode() == ConsumerMode.QUEUE) {
        throw new InvalidDefinitionException(
            owner
                + " has 'delivery-semantics: at-most-once' in 'mode: queue', whose records come again when a consumer is lost; use at-least-once, or mode group.",
            null);
      }
      if (definition.retry().maxAttempts() > 1) {
        throw new InvalidDefinitionException(
            "%s has 'delivery-semantics: at-most-once' and 'retry.max-attempts: %d', but another attempt would handle a record twice; allow one attempt, or use at-least-once."
                .formatted(owner, definition.retry().maxAttempts()),
            null);
      }
    }
  }

  /** Returns the settings of a client that reads the same for a replay: no group knows of it. */
  public ConsumerSettings replay(ConsumerDefinition definition) {
    ConsumerSettings member = consumer(definition);
    Map<String, Object> settings = new TreeMap<>(member.properties());
    settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
    settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    // Of a queue, whose replay reads the log as any other does.
    settings.remove(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG);
    settings.remove(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG);
    settings.put(
        CommonClientConfigs.CLIENT_ID_CONFIG,
        settings.get(CommonClientConfigs.CLIENT_ID_CONFIG) + "-replay");
    positioned(settings);
    return new ConsumerSettings(settings, member.maxPollRecords(), member.maxPollInterval());
  }

  /**
   * Returns the settings of a client that asks what a member's group has committed, and reads what
   * anybody may have written, but is no member.
   */
  public static Map<String, Object> besideGroup(ConsumerSettings member) {
    Map<String, Object> settings = new TreeMap<>(member.properties());
    settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    settings.remove(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG);
    settings.put(
        CommonClientConfigs.CLIENT_ID_CONFIG,
        settings.get(CommonClientConfigs.CLIENT_ID_CONFIG) + "-key-looks");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    // By the end of what is committed alone, what is acknowledged could look like cut off.
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
    return settings;
  }

  /**
   * Returns the group of a consumer; in broadcast mode without an id of its own, another each time.
   */
  public static String group(ConsumerDefinition definition) {
    if (definition.mode() != ConsumerMode.BROADCAST) {
      return definition.groupId();
    }
    String instance = definition.membership().instanceId();
    return definition.groupId() + "." + (instance == null ? UUID.randomUUID() : instance);
  }

  /**
   * A queue's client hands out nothing new before all of one poll has ended: what is polled beyond
   * a few rounds of the handlers would only be kept from other consumers.
   */
  private static int mostPolled(ConsumerDefinition definition) {
    return definition.mode() == ConsumerMode.QUEUE
        ? Math.min(MAX_POLL_RECORDS, 4 * definition.concurrency())
        : MAX_POLL_RECORDS;
  }

  /** The locks of records that the client fetched ahead would run out in its buffer. */
  private static void queue(Map<String, Object> settings) {
    settings.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
    settings.put(ConsumerConfig.SHARE_ACQUIRE_MODE_CONFIG, "record_limit");
  }

  private static void group(
      String owner, ConsumerDefinition definition, Map<String, Object> settings) {
    membership(owner, definition.membership(), settings);
    positioned(settings);
  }

  /** The client would go on elsewhere in silence; the engine is told instead, and decides. */
  private static void positioned(Map<String, Object> settings) {
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
  }

  private static void membership(
      String owner, GroupMembership membership, Map<String, Object> settings) {
    String protocol = membership.protocol().name();
    Object before =
        settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol.toLowerCase(Locale.ROOT));
    if (before != null && !before.toString().equalsIgnoreCase(protocol)) {
      throw new InvalidDefinitionException(
          "%s: its group protocol is %s, but its property group.protocol says %s; keep one of them."
              .formatted(owner, protocol.toLowerCase(Locale.ROOT), before),
          null);
    }
    if (membership.protocol() == GroupProtocol.CLASSIC) {
      settings.putIfAbsent(
          ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
          CooperativeStickyAssignor.class.getName());
    }
    if (membership.instanceId() != null) {
      settings.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, membership.instanceId());
    }
  }

  /**
   * Returns the settings of the producer of a consumer's dead letters: all acknowledgements, the
   * consumer's own way to the brokers, and no long block, since it is a worker that sends.
   */
  public Map<String, Object> deadLetterProducer(ConsumerDefinition definition) {
    return deadLetterProducer(definition, "-dead-letters", Map.of());
  }

  /**
   * Returns the settings of the producer of the large ones among them. Its memory holds one of the
   * largest that brokers take ({@code socket.request.max.bytes}).
   */
  public Map<String, Object> largeDeadLetterProducer(ConsumerDefinition definition) {
    return deadLetterProducer(
        definition,
        "-large-dead-letters",
        Map.of(
            ProducerConfig.COMPRESSION_TYPE_CONFIG, "gzip", // Needs no native library.
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG, LARGEST_REQUEST,
            ProducerConfig.BUFFER_MEMORY_CONFIG, LARGEST_REQUEST));
  }

  private Map<String, Object> deadLetterProducer(
      ConsumerDefinition definition, String end, Map<String, String> more) {
    Map<String, String> access = access(definition);
    access.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "1000");
    // What was small enough to be read is not for this client to refuse, but for the broker.
    access.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, "33554432");
    access.putAll(more);
    return producer(
        new ProducerDefinition(
            definition.name() + end,
            definition.bootstrapServers(),
            List.of(),
            DeliverySemantics.AT_LEAST_ONCE,
            null,
            Format.BYTES,
            TuningProfile.LATENCY,
            NO_TRANSACTIONS,
            PoolDefinition.defaults(),
            access));
  }

  /**
   * Returns the settings of a producer that sends what an exactly-once consumer's handlers send:
   * the consumer's profile, and its own way to the brokers.
   */
  Map<String, Object> outputProducer(ConsumerDefinition definition) {
    Map<String, String> own = access(definition);
    // A dead letter is an output, too: what could be read is for the broker to refuse.
    own.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, "33554432");
    // After a commit the brokers need some milliseconds before they take the next transaction's
    // first record (KIP-890): Kafka's 100 ms between two tries would be most of the time.
    own.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, "5");
    own.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, "1000");
    // Nobody sees an output before its commit, and that flushes: waiting costs no latency, and few
    // large batches cost the brokers less and are flushed sooner.
    own.put(ProducerConfig.LINGER_MS_CONFIG, "20");
    own.put(ProducerConfig.BATCH_SIZE_CONFIG, "131072");
    return producerSettings(
        new ProducerDefinition(
            definition.name() + "-outputs",
            definition.bootstrapServers(),
            List.of(),
            DeliverySemantics.EXACTLY_ONCE,
            null,
            Format.BYTES,
            definition.profile(),
            NO_TRANSACTIONS,
            PoolDefinition.defaults(),
            own));
  }

  /** What of a consumer's own settings leads to the brokers. */
  private static Map<String, String> access(ConsumerDefinition definition) {
    Map<String, String> access = new HashMap<>(definition.properties());
    access.keySet().removeIf(name -> ACCESS_PREFIXES.stream().noneMatch(name::startsWith));
    return access;
  }

  /** Returns an admin client's settings that reach the same brokers as the given client's do. */
  public static Map<String, Object> admin(Map<String, Object> client) {
    Map<String, Object> settings = new HashMap<>();
    for (String name : AdminClientConfig.configNames()) {
      Object value = client.get(name);
      if (value != null && !isReporter(name)) {
        settings.put(name, value);
      }
    }
    return settings;
  }

  private static boolean isReporter(String name) {
    return name.equals(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG);
  }

  private static ConsumerSettings sound(
      String owner, ConsumerDefinition definition, Map<String, Object> settings) {
    Map<String, Object> parsed = parsed(owner, ConsumerConfig.configDef(), settings);
    int maxPollRecords = number(parsed, ConsumerConfig.MAX_POLL_RECORDS_CONFIG);
    if (maxPollRecords > definition.channelCapacity()) {
      throw new InvalidDefinitionException(
          "%s: max.poll.records is %d, more than its channel-capacity of %d can hold; lower the one or raise the other."
              .formatted(owner, maxPollRecords, definition.channelCapacity()),
          null);
    }
    requireReadRetryTopics(owner, definition);
    int maxPollInterval = number(parsed, ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG);
    if (hasRevocations(definition)) {
      requireTimeToDrain(owner, definition.drainTimeout().toMillis(), maxPollInterval);
    }
    return new ConsumerSettings(settings, maxPollRecords, Duration.ofMillis(maxPollInterval));
  }

  /** A definition that no loader has seen: what goes to a retry topic must be read again. */
  private static void requireReadRetryTopics(String owner, ConsumerDefinition definition) {
    if (definition.retry().topics().levels() > 0
        && (definition.mode() != ConsumerMode.GROUP
            || definition.deliverySemantics() == DeliverySemantics.AT_MOST_ONCE
            || definition.subscription() instanceof Subscription.Partitions)) {
      throw new InvalidDefinitionException(
          "%s: retry topics need 'mode: group', a group that deals the partitions out, and another promise than at-most-once; it has %s, %s and %s."
              .formatted(
                  owner,
                  definition.mode(),
                  definition.subscription(),
                  definition.deliverySemantics()),
          null);
    }
  }

  private static boolean hasRevocations(ConsumerDefinition definition) {
    return definition.mode() != ConsumerMode.QUEUE
        && !(definition.subscription() instanceof Subscription.Partitions);
  }

  /**
   * Between two polls a rebalance waits for the running records of what leaves, for their commit,
   * and for the listener to take what comes; that there is one is not known yet. The other half is
   * for what does not go by drain-timeout: to ask what earlier owners had done takes 5 seconds at
   * most.
   */
  private static void requireTimeToDrain(String owner, long drain, int maxPollInterval) {
    if (drain + Math.max(drain, 500) + drain > maxPollInterval / 2) {
      throw new InvalidDefinitionException(
          "%s: drain-timeout is %d ms; waiting so long for running records, again for the commit, and again for a listener, takes more than half of max.poll.interval.ms (%d ms) and could cost the group membership; lower the one or raise the other."
              .formatted(owner, drain, maxPollInterval),
          null);
    }
  }

  private static int number(Map<String, Object> parsed, String name) {
    return (int) Objects.requireNonNull(parsed.get(name), name);
  }

  /** Has Kafka itself read the settings, so that a bad value is refused before anything opens. */
  private static Map<String, Object> parsed(
      String owner, ConfigDef definitions, Map<String, Object> settings) {
    try {
      return definitions.parse(settings);
    } catch (ConfigException e) {
      throw new InvalidDefinitionException(
          owner + " has a setting that the Kafka client refuses: " + withoutValue(e), null);
    }
  }

  /** Kafka's text is "Invalid value V for configuration N: why"; V may be a secret's. */
  private static String withoutValue(ConfigException e) {
    String text = String.valueOf(e.getMessage());
    int name = text.indexOf("configuration ");
    return text.startsWith("Invalid value ") && name >= 0 ? text.substring(name) : text;
  }

  private static void requireKnown(
      String owner, Map<String, String> properties, Set<String> known) {
    List<String> unknown =
        properties.keySet().stream()
            .filter(name -> !known.contains(name))
            .sorted()
            .map(
                name ->
                    "'"
                        + name
                        + "'"
                        + NearestNames.suggest(name, known)
                            .map(near -> " (did you mean '" + near + "'?)")
                            .orElse(""))
            .toList();
    if (!unknown.isEmpty()) {
      throw new InvalidDefinitionException(
          owner
              + " sets properties that the Kafka client doesn't know: "
              + unknown.stream().collect(Collectors.joining(", "))
              + ".",
          null);
    }
  }

  private String clientId(String name) {
    return serviceName == null ? name : serviceName + "-" + name;
  }
}
