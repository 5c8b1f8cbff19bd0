package dev.millrace.internal.client;

import dev.millrace.errors.BrokerUnavailableException;
import dev.millrace.errors.InvalidDefinitionException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The first contact with the brokers, before any client is made: the Kafka clients themselves would
 * wait in silence for a broker that is not there. Any thread.
 */
public final class Brokers {
  private static final Logger LOG = LoggerFactory.getLogger(Brokers.class);

  /** More than all headers that a dead letter, or a record of a retry topic, has of its own. */
  private static final int HEADER_ROOM = 16 * 1024;

  private final Duration connectTimeout;

  /**
   * A topic that goes with another one.
   *
   * @param model the topic whose partition count it gets
   * @param kind what it is, for the texts
   * @param settings those of its own
   */
  public record Companion(String topic, String model, String kind, Map<String, String> settings) {

    /** For dead letters, else with the brokers' settings. */
    public static Companion deadLetters(String topic, String model) {
      return new Companion(topic, model, "dead-letter", Map.of());
    }

    /**
     * For retries.
     *
     * @param delay how long records wait there
     */
    public static Companion retries(String topic, String model, Duration delay) {
      return new Companion(topic, model, "retry", RetryTopicSettings.created(delay));
    }
  }

  public Brokers(Duration connectTimeout) {
    this.connectTimeout = connectTimeout;
  }

  /**
   * Makes sure that a broker answers.
   *
   * @param owner what needs it, for the error's text
   * @param settings the client's settings
   * @throws BrokerUnavailableException when none answers within the connect time-out
   * @throws InvalidDefinitionException when Kafka refuses the settings
   */
  public void requireReachable(String owner, Map<String, Object> settings) {
    try (Admin admin = admin(owner, settings)) {
      contact(owner, settings, admin);
    }
  }

  /**
   * Makes sure that a broker answers, warns of topics that are missing, and creates the given ones.
   *
   * @param owner what needs it, for the texts
   * @param settings the client's settings
   * @param needed topics that should be there
   * @param check told how many partitions those have that are there; what it throws comes out, and
   *     nothing is created
   * @param companions topics to create if missing
   * @return those of them that are missing still, since they can't be created now; the log says why
   * @throws BrokerUnavailableException when none answers within the connect time-out
   * @throws InvalidDefinitionException when Kafka refuses the settings
   */
  public Set<String> prepareTopics(
      String owner,
      Map<String, Object> settings,
      Collection<String> needed,
      Consumer<Map<String, Integer>> check,
      Collection<Companion> companions) {
    try (Admin admin = admin(owner, settings)) {
      contact(owner, settings, admin);
      Map<String, Integer> partitions = partitions(owner, settings, admin, needed);
      check.accept(partitions);
      Set<String> present =
          partitions(owner, settings, admin, companions.stream().map(Companion::topic).toList())
              .keySet();
      Set<String> missing = new HashSet<>();
      for (Companion companion : companions) {
        if (!present.contains(companion.topic())
            && !create(owner, settings, admin, companion, partitions.get(companion.model()))) {
          missing.add(companion.topic());
        }
      }
      needed.stream()
          .filter(topic -> !partitions.containsKey(topic))
          .forEach(
              topic ->
                  LOG.warn(
                      "{} needs topic '{}', which does not exist at {}; it will be used once it is there.",
                      owner,
                      topic,
                      address(settings)));
      return missing;
    }
  }

  /**
   * Makes sure that a broker answers, and warns when it has no topic whose whole name matches.
   *
   * @param owner what needs them, for the texts
   * @param settings the client's settings
   * @throws BrokerUnavailableException when none answers within the connect time-out
   * @throws InvalidDefinitionException when Kafka refuses the settings
   */
  public void lookForTopics(String owner, Map<String, Object> settings, Pattern pattern) {
    try (Admin admin = admin(owner, settings)) {
      contact(owner, settings, admin);
      Set<String> names = await(owner, settings, admin.listTopics().names());
      if (names.stream().noneMatch(pattern.asMatchPredicate())) {
        LOG.warn(
            "{} finds no topic at {} yet that matches its pattern; it looks again every metadata.max.age.ms.",
            owner,
            address(settings));
      }
    } catch (KafkaException e) {
      LOG.warn("{} could not look for its topics: {}", owner, e.toString());
    }
  }

  /**
   * Returns the settings of those topics of which the brokers tell them.
   *
   * @param owner who asks, for the texts
   * @param settings the client's settings
   * @throws BrokerUnavailableException when none answers within the connect time-out
   */
  public Map<String, Config> topicSettings(
      String owner, Map<String, Object> settings, Collection<String> topics) {
    Map<String, Config> told = new HashMap<>();
    List<ConfigResource> resources =
        topics.stream().map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic)).toList();
    try (Admin admin = admin(owner, settings)) {
      admin
          .describeConfigs(resources)
          .values()
          .forEach(
              (resource, future) -> {
                try {
                  told.put(resource.name(), await(owner, settings, future));
                } catch (KafkaException e) {
                  LOG.debug("{} was not told the settings of '{}'", owner, resource.name(), e);
                }
              });
    }
    return told;
  }

  /**
   * Deletes a group that nobody will use again. What can't be deleted within the bound the brokers
   * forget by themselves, {@code offsets.retention.minutes} after its last member has left.
   *
   * @param owner whose it was, for the texts
   * @param settings the client's settings
   */
  public void deleteGroup(
      String owner, Map<String, Object> settings, String group, Duration bound) {
    try (Admin admin = new Brokers(bound).admin(owner, settings)) {
      admin.deleteConsumerGroups(List.of(group)).all().get(bound.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      LOG.info("{} leaves its group '{}' to the brokers to forget: {}", owner, group, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Asks one thing.
   *
   * @throws BrokerUnavailableException when no broker answers within the connect time-out
   * @throws KafkaException when they refuse
   */
  <T> T ask(String owner, Map<String, Object> settings, Function<Admin, KafkaFuture<T>> question) {
    try (Admin admin = admin(owner, settings)) {
      return await(owner, settings, question.apply(admin));
    }
  }

  private void contact(String owner, Map<String, Object> settings, Admin admin) {
    try {
      await(owner, settings, admin.describeCluster().clusterId());
    } catch (KafkaException e) {
      throw unavailable(owner, settings, e);
    }
  }

  private Map<String, Integer> partitions(
      String owner, Map<String, Object> settings, Admin admin, Collection<String> topics) {
    Map<String, Integer> found = new HashMap<>();
    admin
        .describeTopics(topics)
        .topicNameValues()
        .forEach(
            (topic, future) -> {
              try {
                TopicDescription description = await(owner, settings, future);
                found.put(topic, description.partitions().size());
              } catch (KafkaException e) {
                if (!(e instanceof UnknownTopicOrPartitionException)) {
                  LOG.warn("{} could not look up topic '{}': {}", owner, topic, e.toString());
                }
              }
            });
    return found;
  }

  /**
   * Returns how large a record the companion takes: any that its model has, and the headers that
   * say where it comes from.
   */
  private Map<String, String> withRoom(
      String owner, Map<String, Object> settings, Admin admin, Companion companion) {
    ConfigResource model = new ConfigResource(ConfigResource.Type.TOPIC, companion.model());
    Map<String, String> configs = new HashMap<>(companion.settings());
    try {
      ConfigEntry most =
          Objects.requireNonNull(
                  await(owner, settings, admin.describeConfigs(List.of(model)).all()).get(model))
              .get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
      long bytes = Long.parseLong(most.value()) + HEADER_ROOM;
      configs.put(
          TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Long.toString(Math.min(bytes, Integer.MAX_VALUE)));
    } catch (KafkaException e) {
      LOG.warn(
          "{} could not ask how large the records of '{}' may be, so '{}' may have no room for the largest: {}",
          owner,
          companion.model(),
          companion.topic(),
          e.toString());
    }
    return configs;
  }

  /** Returns whether the topic is there now. */
  private boolean create(
      String owner,
      Map<String, Object> settings,
      Admin admin,
      Companion companion,
      @Nullable Integer partitions) {
    String topic = companion.topic();
    NewTopic created = new NewTopic(topic, Optional.ofNullable(partitions), Optional.empty());
    try {
      await(
          owner,
          settings,
          admin
              .createTopics(List.of(created.configs(withRoom(owner, settings, admin, companion))))
              .all());
      LOG.info("{} created its {} topic '{}'.", owner, companion.kind(), topic);
      return true;
    } catch (TopicExistsException e) {
      LOG.debug("{}: another instance has just created '{}'.", owner, topic);
      return true;
    } catch (KafkaException e) {
      LOG.warn(
          "{} could not create its {} topic '{}': {}. Records that need it wait until it exists; each of them tries to create it.",
          owner,
          companion.kind(),
          topic,
          e.toString());
      return false;
    }
  }

  private Admin admin(String owner, Map<String, Object> settings) {
    Map<String, Object> properties = ClientProperties.admin(settings);
    int millis = (int) Math.min(Integer.MAX_VALUE, connectTimeout.toMillis());
    properties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis);
    properties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
    try {
      return Admin.create(properties);
    } catch (KafkaException e) {
      if (reason(e).contains("No resolvable bootstrap urls")) {
        throw unavailable(owner, settings, e);
      }
      throw new InvalidDefinitionException(
          owner + ": the Kafka client can't be made: " + reason(e), e);
    }
  }

  private <T> T await(String owner, Map<String, Object> settings, KafkaFuture<T> future) {
    try {
      return future.get(connectTimeout.toMillis() + 500, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException timeout) {
        throw unavailable(owner, settings, timeout);
      }
      throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
    } catch (TimeoutException e) {
      throw unavailable(owner, settings, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unavailable(owner, settings, e);
    }
  }

  private BrokerUnavailableException unavailable(
      String owner, Map<String, Object> settings, Exception cause) {
    return new BrokerUnavailableException(
        "%s: no contact with a Kafka broker at %s within %d ms (%s). Check bootstrap-servers, that the brokers run, and the security settings; connect-timeout sets the wait."
            .formatted(owner, address(settings), connectTimeout.toMillis(), reason(cause)),
        cause);
  }

  private static String reason(Throwable cause) {
    Throwable deepest = cause;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String message = deepest.getMessage();
    return deepest.getClass().getSimpleName() + (message == null ? "" : ": " + message);
  }

  private static Object address(Map<String, Object> settings) {
    return settings.getOrDefault(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, "");
  }
}
