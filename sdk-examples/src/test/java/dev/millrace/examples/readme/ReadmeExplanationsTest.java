package dev.millrace.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.consumer.ConsumerExplanation;
import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.Channel;
import dev.millrace.consumer.ConsumerExplanation.CommitFailure;
import dev.millrace.consumer.ConsumerExplanation.Commits;
import dev.millrace.consumer.ConsumerExplanation.Counts;
import dev.millrace.consumer.ConsumerExplanation.FollowsKey;
import dev.millrace.consumer.ConsumerExplanation.Outage;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Permits;
import dev.millrace.consumer.ConsumerExplanation.Queued;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import dev.millrace.consumer.ConsumerExplanation.WaitsForDeadLetter;
import dev.millrace.consumer.ConsumerExplanation.WaitsForExecutor;
import dev.millrace.consumer.ConsumerExplanation.WaitsForMessage;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetry;
import dev.millrace.consumer.ConsumerExplanation.WaitsForRetryTopic;
import dev.millrace.consumer.ConsumerExplanation.WaitsForStart;
import dev.millrace.consumer.ConsumerState;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Who is called at night finds each sentence of {@code explain()} in the README, word for word. */
class ReadmeExplanationsTest {
  private static final String HEADER = "| the text says | the record says | what to do |";
  private static final TopicPartition NAME = new TopicPartition("orders", 0);
  private static final Duration TIME = Duration.ofSeconds(42);
  private static final Instant THEN = Instant.EPOCH;

  @Test
  void theTableHasEachReasonInTheWordsOfTheText() {
    Map<String, String> texts = new LinkedHashMap<>();
    for (PauseCause cause : PauseCause.values()) {
      texts.put(cause.name(), partition(Optional.empty(), Map.of(cause, THEN), false).verdict());
    }
    Stream.of(
            new Queued(),
            new Running("worker-1", TIME, "Inventory.reserve(Inventory.java:17)", List.of()),
            new RunningElsewhere(TIME),
            new WaitsForExecutor(TIME),
            new WaitsForRetry(TIME, "java.lang.Error"),
            new WaitsForMessage(TIME, "the idempotency store does not answer"),
            new WaitsForDeadLetter(TIME, "java.lang.Error"),
            new WaitsForRetryTopic(1, TIME, "java.lang.Error"),
            new WaitsForStart(TIME, "the circuit is open, since the rate limit lets no more start"),
            new FollowsKey(TIME))
        .forEach(
            activity ->
                texts.put(
                    activity.getClass().getSimpleName(),
                    partition(Optional.of(activity), Map.of(), false).verdict()));
    texts.put("CommitFailure", partition(Optional.empty(), Map.of(), true).verdict());
    texts.put(
        "Outage",
        text(Optional.of(new Outage(List.of("orders.g.dlq"), TIME, 3, "gone")), Optional.empty()));
    texts.put("Silence", text(Optional.empty(), Optional.of(new Silence(TIME, List.of()))));

    Set<String> activities =
        Stream.of(Activity.class.getPermittedSubclasses())
            .map(Class::getSimpleName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(texts.keySet()).as("samples").containsAll(activities);
    List<List<String>> rows = Readme.table(HEADER);
    assertThat(rows)
        .extracting(row -> row.get(1).replace("`", ""))
        .containsExactlyInAnyOrderElementsOf(texts.keySet());
    for (List<String> row : rows) {
      assertThat(codes(row.get(0))).isNotEmpty();
      for (String said : codes(row.get(0))) {
        assertThat(texts.get(row.get(1).replace("`", "")))
            .containsPattern(
                Stream.of(said.split("…", -1))
                    .map(Pattern::quote)
                    .collect(Collectors.joining(".+")));
      }
    }
  }

  private static List<String> codes(String cell) {
    return Pattern.compile("`([^`]+)`").matcher(cell).results().map(code -> code.group(1)).toList();
  }

  private static Partition partition(
      Optional<Activity> activity, Map<PauseCause, Instant> pauses, boolean commitFails) {
    return new Partition(
        NAME,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        new Commits(
            OptionalLong.empty(),
            Optional.empty(),
            commitFails ? Optional.of(new CommitFailure(THEN, THEN, "gone")) : Optional.empty()),
        activity.map(its -> new Unfinished(17, Optional.empty(), 2, TIME, its)),
        new Counts(0, 0, 0, 0, 0),
        pauses);
  }

  private static String text(Optional<Outage> outage, Optional<Silence> silence) {
    return new ConsumerExplanation(
            "order-consumer",
            THEN,
            ConsumerState.RUNNING,
            Optional.empty(),
            new Channel(0, 1, 0, 0, 1),
            new Permits(0, 1),
            outage,
            Optional.empty(),
            List.of(),
            List.of(),
            silence,
            List.of())
        .toString();
  }
}
