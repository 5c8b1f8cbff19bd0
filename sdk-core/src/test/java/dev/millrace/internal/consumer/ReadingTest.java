package dev.millrace.internal.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.ConsumerMode;
import dev.millrace.config.DeliverySemantics;
import dev.millrace.config.Ordering;
import dev.millrace.config.RetryDefinition;
import dev.millrace.config.RetryTopicsDefinition;
import dev.millrace.config.Subscription;
import dev.millrace.errors.InvalidDefinitionException;
import dev.millrace.internal.client.ClientProperties;
import dev.millrace.internal.delivery.RetryTopics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which topics a pattern finds. */
class ReadingTest {

  @Test
  void whatAnyGroupGaveUpIsLeftOutUnlessThePatternNamesIt() {
    Pattern all = Reading.pattern(byPattern("orders\\..*", "a"));
    assertThat(all.matcher("orders.eu").matches()).isTrue();
    assertThat(all.matcher("orders.eu.a.dlq").matches()).isFalse();
    assertThat(all.matcher("orders.eu.b.dlq").matches()).isFalse();
    assertThat(all.matcher("orders.eu.b.retry.2").matches()).isFalse();

    Pattern deadLetters = Reading.pattern(byPattern("orders\\..*\\.dlq", "a"));
    assertThat(deadLetters.matcher("orders.eu.b.dlq").matches()).isTrue();
    assertThat(deadLetters.matcher("orders.eu.a.dlq").matches()).isFalse();
  }

  /** Else each would go on giving up what the other one gave up. */
  @ParameterizedTest
  @ValueSource(strings = {"orders\\..*", "orders\\..*(?:dlq)?"})
  void twoGroupsEndWithEachOthersDeadLetters(String regex) {
    ConsumerDefinition a = byPattern(regex, "a");
    ConsumerDefinition b = byPattern(regex, "b");
    String topic = "orders.eu";
    List<String> made = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      ConsumerDefinition reader = i % 2 == 0 ? a : b;
      if (!Reading.pattern(reader).matcher(topic).matches()) {
        break;
      }
      topic = topic + "." + reader.groupId() + ".dlq";
      made.add(topic);
    }
    assertThat(made).as("dead-letter topics of one undecodable record").hasSizeLessThanOrEqualTo(2);
  }

  /** What ReplayLauncher does: replayed.withRetry(replayed.retry().inPlace()). */
  @Test
  void aReplayReadsNoRetryTopicAsIfItWereOneOfTheConsumersTopics() {
    ConsumerDefinition definition =
        TestDefinitions.consumer(
                Ordering.KEY, 4, 40, 1, false, Duration.ofMillis(100), Duration.ZERO)
            .withSubscription(new Subscription.Matching("orders.*"));
    RetryDefinition retry =
        new RetryDefinition(
            1,
            definition.retry().backoff(),
            new RetryTopicsDefinition(
                List.of(Duration.ofSeconds(10)), "{topic}-{group-id}-later-{n}", true));
    ConsumerDefinition consumer = definition.withRetry(retry);
    String retryTopic =
        new RetryTopics(consumer.withSubscription(Subscription.toTopics("orders")))
            .names()
            .iterator()
            .next();
    assertThat(new RetryTopics(consumer).own(retryTopic)).isNotNull();

    ConsumerDefinition replay = consumer.withRetry(consumer.retry().inPlace());

    assertThat(Reading.pattern(replay).matcher("orders").matches()).isTrue();
    assertThat(Reading.pattern(replay).matcher(retryTopic).matches()).isFalse();
  }

  /**
   * The loader refuses these; of a definition made by hand (KafkaFactory.create(KafkaConfig)) the
   * record would be acknowledged by a retry topic that nobody reads, or committed before it is due.
   */
  @Test
  void retryTopicsThatNobodyWouldReadAreRefusedInDefinitionsMadeByHand() {
    ConsumerDefinition sound =
        TestDefinitions.consumer(
            Ordering.KEY, 4, 40, 1, false, Duration.ofMillis(100), Duration.ZERO);
    ConsumerDefinition retrying =
        sound.withRetry(
            new RetryDefinition(
                1,
                sound.retry().backoff(),
                new RetryTopicsDefinition(
                    List.of(Duration.ofSeconds(10)), RetryTopicsDefinition.DEFAULT_NAMES, true)));
    List<ConsumerDefinition> losing =
        List.of(
            with(retrying, "g", ConsumerMode.GROUP, DeliverySemantics.AT_MOST_ONCE),
            with(retrying, "g", ConsumerMode.QUEUE, DeliverySemantics.AT_LEAST_ONCE),
            with(retrying, "g", ConsumerMode.BROADCAST, DeliverySemantics.AT_LEAST_ONCE),
            retrying.withSubscription(
                new Subscription.Partitions(List.of(new Subscription.Partition("orders", 0)))));
    for (ConsumerDefinition definition : losing) {
      assertThatThrownBy(() -> new ClientProperties(null).consumer(definition))
          .as(
              "%s %s %s",
              definition.mode(), definition.deliverySemantics(), definition.subscription())
          .isInstanceOf(InvalidDefinitionException.class);
    }
  }

  private static ConsumerDefinition byPattern(String regex, String group) {
    ConsumerDefinition definition =
        TestDefinitions.consumer(
                Ordering.KEY, 4, 40, 1, true, Duration.ofMillis(100), Duration.ZERO)
            .withSubscription(new Subscription.Matching(regex));
    return with(definition, group, definition.mode(), definition.deliverySemantics());
  }

  private static ConsumerDefinition with(
      ConsumerDefinition definition, String group, ConsumerMode mode, DeliverySemantics semantics) {
    return new ConsumerDefinition(
        definition.name(),
        definition.bootstrapServers(),
        definition.subscription(),
        group,
        mode,
        definition.membership(),
        definition.onMissingOffset(),
        semantics,
        definition.ordering(),
        definition.keylessRecords(),
        definition.concurrency(),
        definition.instances(),
        definition.handlerThreads(),
        definition.channelCapacity(),
        definition.channelBytes(),
        definition.format(),
        definition.profile(),
        definition.retry(),
        definition.deadLetter(),
        definition.onFailure(),
        definition.handlerWatchdog(),
        definition.batch(),
        definition.transaction(),
        definition.idempotency(),
        definition.circuitBreaker(),
        definition.rateLimit(),
        definition.commitInterval(),
        definition.commitRecords(),
        definition.drainTimeout(),
        definition.closeTimeout(),
        definition.idleAfter(),
        definition.properties());
  }
}
