package dev.millrace.internal.delivery;

import static dev.millrace.deadletter.DeadLetterHeaders.ATTEMPTS;
import static dev.millrace.deadletter.DeadLetterHeaders.EXCEPTION_CLASS;
import static dev.millrace.deadletter.DeadLetterHeaders.EXCEPTION_MESSAGE;
import static dev.millrace.deadletter.DeadLetterHeaders.GAVE_UP;
import static dev.millrace.deadletter.DeadLetterHeaders.GROUP;
import static dev.millrace.deadletter.DeadLetterHeaders.ORIGIN_OFFSET;
import static dev.millrace.deadletter.DeadLetterHeaders.ORIGIN_PARTITION;
import static dev.millrace.deadletter.DeadLetterHeaders.ORIGIN_TIMESTAMP;
import static dev.millrace.deadletter.DeadLetterHeaders.ORIGIN_TOPIC;
import static dev.millrace.deadletter.DeadLetterHeaders.REDRIVES;
import static dev.millrace.deadletter.DeadLetterHeaders.REFERENCE;
import static dev.millrace.deadletter.DeadLetterHeaders.TRIMMED;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.DeadLetterDefinition;
import dev.millrace.config.Subscription.Matching;
import dev.millrace.internal.transaction.Departure;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Makes dead letters of records whose attempts are used up: key, value and headers as they came,
 * and headers that say where from and why; and sends whatever leaves for another topic. The topic
 * is the group's own, since other groups read the same source.
 */
public final class DeadLetters {
  /** How the default names of dead-letter and retry topics end, as a regular expression. */
  private static final String GIVEN_UP = "\\.(?:dlq|retry\\.[0-9]+)";

  /** Longer texts are cut: a header must not push a record over the broker's size limit. */
  private static final int MAX_TEXT_CHARS = 512;

  /** Not null: where the topic is compacted, that would delete what is there of the key. */
  private static final byte[] NO_VALUE = {};

  private final String group;
  private final @Nullable String fixedTopic;
  private final int mostCut;
  private final Function<ProducerRecord<byte[], byte[]>, CompletableFuture<RecordMetadata>> sender;
  private final Preparation preparation;

  /** Sees to it that what is sent in a transaction finds its topic. */
  public interface Preparation {
    /**
     * Called by workers.
     *
     * @param doubted whether the topic could not be written when it was last tried
     * @throws RuntimeException when it is not there, or may not be written
     */
    void prepare(ProducerRecord<byte[], byte[]> record, boolean doubted);
  }

  /**
   * @param definition null when the consumer has none, and only sends to its retry topics
   * @param sender sends with all acknowledgements, never throws
   */
  public DeadLetters(
      String group,
      @Nullable DeadLetterDefinition definition,
      Function<ProducerRecord<byte[], byte[]>, CompletableFuture<RecordMetadata>> sender) {
    this(group, definition, sender, (record, doubted) -> {});
  }

  public DeadLetters(
      String group,
      @Nullable DeadLetterDefinition definition,
      Function<ProducerRecord<byte[], byte[]>, CompletableFuture<RecordMetadata>> sender,
      Preparation preparation) {
    this.group = group;
    this.fixedTopic = definition == null ? null : definition.topic();
    this.mostCut = Trimming.most(definition);
    this.sender = sender;
    this.preparation = preparation;
  }

  /** Returns a consumer's dead-letter topics, each with the topic it serves. */
  public static Map<String, String> topics(ConsumerDefinition consumer) {
    Map<String, String> topics = new LinkedHashMap<>();
    DeadLetterDefinition definition = consumer.deadLetter();
    if (definition != null) {
      for (String source : consumer.topics()) {
        topics.putIfAbsent(topic(definition.topic(), source, consumer.groupId()), source);
      }
    }
    return topics;
  }

  /**
   * Returns, as regular expressions for whole names, the topics that a consumer does not read
   * although its pattern finds them: those that hold what its group could not handle, under the
   * names that they have now or have by default, and what other groups could not handle. If the
   * pattern itself names such topics, they are read, but none that was made of one: else two groups
   * would go on giving up each other's dead letters for ever.
   */
  public static List<String> notRead(ConsumerDefinition consumer, Matching matching) {
    List<String> not = new ArrayList<>();
    not.add(".+" + Pattern.quote("." + consumer.groupId()) + GIVEN_UP);
    not.add(
        matching.regex().contains("dlq") || matching.regex().contains("retry")
            ? ".+" + GIVEN_UP + "\\..+" + GIVEN_UP
            : ".+" + GIVEN_UP);
    not.add(new RetryTopics(consumer).regexOfAll());
    DeadLetterDefinition definition = consumer.deadLetter();
    if (definition != null && definition.topic() != null) {
      not.add(Pattern.quote(definition.topic()));
    }
    return not;
  }

  /** Returns whether the consumer sends failed records anywhere. */
  public static boolean areSent(ConsumerDefinition consumer) {
    return consumer.deadLetter() != null || consumer.retry().topics().levels() > 0;
  }

  /** Returns the topic that a dead letter's record came from. */
  public static String origin(ProducerRecord<byte[], byte[]> deadLetter) {
    return new String(
        deadLetter.headers().lastHeader(ORIGIN_TOPIC).value(), StandardCharsets.UTF_8);
  }

  private static String topic(@Nullable String fixed, String source, String group) {
    return fixed != null ? fixed : source + "." + group + ".dlq";
  }

  /** Returns where the records of a source topic go. */
  String topic(String source) {
    return topic(fixedTopic, source, group);
  }

  /** Sends it; the future completes when all in-sync replicas have it. */
  CompletableFuture<RecordMetadata> send(ProducerRecord<byte[], byte[]> record) {
    return sender.apply(record);
  }

  /** As {@link Preparation#prepare}. */
  void prepare(ProducerRecord<byte[], byte[]> record, boolean doubted) {
    preparation.prepare(record, doubted);
  }

  /** Returns whether there is a smaller dead letter than this one, which was too large. */
  boolean canCut(Departure how) {
    return how.cut() < mostCut;
  }

  /** Returns what is sent. */
  ProducerRecord<byte[], byte[]> record(
      String topic, ConsumerRecord<byte[], byte[]> source, Departure how) {
    return new ProducerRecord<>(
        topic,
        null,
        null,
        Trimming.hasKey(how.cut()) ? source.key() : null,
        Trimming.hasValue(how.cut()) ? source.value() : NO_VALUE,
        headers(source, how));
  }

  private Headers headers(ConsumerRecord<byte[], byte[]> source, Departure how) {
    Headers headers = new RecordHeaders();
    if (Trimming.hasHeaders(how.cut())) {
      source.headers().forEach(headers::add);
    }
    put(headers, ORIGIN_TOPIC, source.topic());
    put(headers, ORIGIN_PARTITION, Integer.toString(source.partition()));
    put(headers, ORIGIN_OFFSET, Long.toString(source.offset()));
    put(headers, ORIGIN_TIMESTAMP, Long.toString(source.timestamp()));
    put(headers, GROUP, group);
    put(headers, ATTEMPTS, Integer.toString(how.attempts()));
    put(headers, GAVE_UP, how.gaveUp());
    int cut = how.cut();
    putIf(Trimming.hasClass(cut), headers, EXCEPTION_CLASS, how.failure().getClass().getName());
    putIf(Trimming.hasMessage(cut), headers, EXCEPTION_MESSAGE, Failures.message(how.failure()));
    keepCount(source, headers);
    putIf(cut > 0, headers, TRIMMED, Trimming.named(cut));
    putIf(!Trimming.hasValue(cut), headers, REFERENCE, "true");
    return headers;
  }

  /** The mark was the source's own; what stays is how often it has come back for nothing. */
  private static void keepCount(ConsumerRecord<byte[], byte[]> source, Headers headers) {
    Optional<RedriveMark> mark =
        RedriveMark.read(source.topic(), source.key(), source.value(), source.headers());
    RedriveMark.remove(headers);
    mark.ifPresent(own -> put(headers, REDRIVES, Integer.toString(own.redrives())));
  }

  /** What the record had under the name was said of another one, if not here. */
  private static void putIf(boolean holds, Headers headers, String name, String text) {
    if (holds) {
      put(headers, name, text);
    } else {
      headers.remove(name);
    }
  }

  static void put(Headers headers, String name, String text) {
    String bounded = text.length() <= MAX_TEXT_CHARS ? text : text.substring(0, MAX_TEXT_CHARS);
    headers.remove(name);
    headers.add(name, bounded.getBytes(StandardCharsets.UTF_8));
  }
}
