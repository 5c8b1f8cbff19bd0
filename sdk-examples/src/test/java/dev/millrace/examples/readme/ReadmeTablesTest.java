package dev.millrace.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.config.ConfigException;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.deadletter.DeadLetterFilter;
import dev.millrace.deadletter.DeadLetters;
import dev.millrace.deadletter.Redrive;
import dev.millrace.deadletter.RedriveReport;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The README's tables must name every key, with the default that really holds, and every call. */
class ReadmeTablesTest {
  private static final Pattern CODE = Pattern.compile("`([^`]+)`.*");
  private static final Pattern CALL = Pattern.compile("(\\w+)\\((.*)\\)");
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void everyKeyHasItsRow() {
    assertThat(keys("### `common`")).containsExactlyInAnyOrderElementsOf(known("common"));
    assertThat(keys("### `defaults`")).containsExactlyInAnyOrderElementsOf(known("defaults"));
    List<String> producer = keys("### Each of `producers`");
    assertThat(producer.stream().map(key -> key.replaceAll("\\..*", "")).distinct())
        .containsExactlyInAnyOrderElementsOf(known("producers/p"));
    assertThat(below(producer, "transaction."))
        .containsExactlyInAnyOrderElementsOf(known("producers/p/transaction"));
    List<String> consumer = keys("### Each of `consumers`");
    assertThat(consumer.stream().map(key -> key.replaceAll("\\..*", "")).distinct())
        .containsExactlyInAnyOrderElementsOf(known("consumers/c"));
    assertThat(below(consumer, "retry.").map(key -> key.replaceAll("\\..*", "")).distinct())
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/retry"));
    assertThat(below(consumer, "retry.backoff."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/retry/backoff"));
    assertThat(below(consumer, "batch."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/batch"));
    assertThat(below(consumer, "idempotency."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/idempotency"));
    assertThat(below(consumer, "circuit-breaker."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/circuit-breaker"));
    assertThat(below(consumer, "rate-limit."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/rate-limit"));
    assertThat(below(consumer, "dead-letter."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/dead-letter"));
    assertThat(below(consumer, "handler-watchdog."))
        .containsExactlyInAnyOrderElementsOf(known("consumers/c/handler-watchdog"));
  }

  @Test
  void theDefaultsAreWhatHolds() throws JsonProcessingException {
    ObjectNode silent = minimal();
    ObjectNode spoken = minimal();
    fill(spoken.withObject("/kafka/common"), "### `common`");
    fill(spoken.withObject("/kafka/producers/p"), "### Each of `producers`");
    ObjectNode consumer = spoken.withObject("/kafka/consumers/c");
    fill(consumer, "### Each of `consumers`");
    // It is refused beside dead letters.
    spoken
        .withObject("/kafka/consumers/without-dead-letters")
        .set("on-failure", consumer.remove("on-failure"));

    assertThat(spoken).isNotEqualTo(silent);
    assertThat(load(spoken)).isEqualTo(load(silent));
  }

  /** By their names and how many parameters they have. */
  @Test
  void theWayBackForDeadLettersHasAllItsCalls() {
    assertThat(calls("| `DeadLetters` | does | throws besides |"))
        .isEqualTo(declared(DeadLetters.class, method -> true));
    assertThat(calls("| `DeadLetterFilter` | passes, of what the filter before it passes |"))
        .isEqualTo(declared(DeadLetterFilter.class, method -> true));
    assertThat(
            calls(
                "| `Redrive` | default | sets; a number out of its range is an `IllegalArgumentException` |"))
        .isEqualTo(declared(Redrive.class, method -> method.getReturnType() == Redrive.class));
    assertThat(
            Readme.table("| `RedriveReport` | counts |").stream().flatMap(row -> codes(row.get(0))))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(RedriveReport.class.getRecordComponents())
                .map(RecordComponent::getName)
                .toList());
  }

  private static Set<String> calls(String header) {
    return Readme.table(header).stream()
        .flatMap(row -> codes(row.get(0)))
        .map(CALL::matcher)
        .peek(call -> assertThat(call.matches()).as(call.toString()).isTrue())
        .map(
            call -> call.group(1) + "/" + (call.group(2).isEmpty() ? 0 : commas(call.group(2)) + 1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static long commas(String text) {
    return text.chars().filter(c -> c == ',').count();
  }

  private static Set<String> declared(Class<?> type, Predicate<Method> wanted) {
    return Stream.of(type.getDeclaredMethods())
        .filter(method -> Modifier.isPublic(method.getModifiers()) && !method.isSynthetic())
        .filter(wanted)
        .map(method -> method.getName() + "/" + method.getParameterCount())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Stream<String> codes(String cell) {
    return Pattern.compile("`([^`]+)`").matcher(cell).results().map(found -> found.group(1));
  }

  private static ObjectNode minimal() {
    ObjectNode root = JSON.createObjectNode();
    root.withObject("/kafka/common").put("bootstrap-servers", "localhost:9092");
    root.withObject("/kafka/producers/p").put("topics", "orders");
    root.withObject("/kafka/consumers/without-dead-letters")
        .put("topics", "orders")
        .put("group-id", "other");
    ObjectNode consumer = root.withObject("/kafka/consumers/c");
    consumer.put("topics", "orders").put("group-id", "g").withObject("/dead-letter");
    consumer.withObject("/idempotency");
    consumer.withObject("/circuit-breaker");
    consumer.withObject("/rate-limit").put("records", "500");
    return root;
  }

  private static void fill(ObjectNode entry, String heading) {
    for (List<String> row : Readme.table(heading)) {
      Matcher documented = CODE.matcher(row.get(2));
      if (documented.matches()) {
        String path = "/" + code(row.get(0)).replace('.', '/');
        int leaf = path.lastIndexOf('/');
        ObjectNode place = leaf == 0 ? entry : entry.withObject(path.substring(0, leaf));
        place.put(path.substring(leaf + 1), documented.group(1));
      }
    }
  }

  /** The loader names the keys it knows when it is given one that is like none of them. */
  private static List<String> known(String path) {
    ObjectNode root = minimal();
    root.withObject("/kafka/" + path).put("zzzzzzzzzzzz", "1");
    ConfigException refused = catchThrowableOfType(ConfigException.class, () -> load(root));
    return Stream.of(String.valueOf(refused.problems().get(0).hint()))
        .peek(hint -> assertThat(hint).startsWith("known keys: "))
        .flatMap(hint -> Stream.of(hint.substring("known keys: ".length()).split(", ")))
        .toList();
  }

  private static List<String> keys(String heading) {
    return Readme.table(heading).stream().map(row -> code(row.get(0))).toList();
  }

  private static Stream<String> below(List<String> keys, String parent) {
    return keys.stream()
        .filter(key -> key.startsWith(parent))
        .map(key -> key.substring(parent.length()));
  }

  private static String code(String cell) {
    return cell.replace("`", "");
  }

  private static KafkaConfig load(ObjectNode root) throws JsonProcessingException {
    return ConfigLoader.create().parse("kafka.json", JSON.writeValueAsString(root));
  }
}
