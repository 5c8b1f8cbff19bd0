package dev.millrace.config;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * A kind of scalar, its range included.
 *
 * @param expected completes "expected …"
 * @param parse the value, or nothing if the text is not one or lies outside the range
 * @param hint what to do about a text that is not one
 */
record ScalarType<T>(
    String expected, Function<String, Optional<T>> parse, Function<String, Optional<String>> hint) {

  /** The JDK compiles a group in a group by recursion; so it stays far from the stack's end. */
  private static final int LONGEST_PATTERN = 1000;

  private static final Pattern WHOLE = Pattern.compile("-?\\d{1,18}");
  private static final Pattern DECIMAL = Pattern.compile("-?\\d{1,18}(?:\\.\\d{1,18})?");
  private static final Pattern TOPIC_NAME = Pattern.compile("[a-zA-Z0-9._-]{1,249}");
  private static final Pattern PARTITION_NAME = Pattern.compile("(.+)-(0|[1-9]\\d{0,8})");
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("(?:[a-zA-Z0-9._-]+|\\[[0-9a-fA-F:.]+]):(\\d{1,5})");

  static final ScalarType<String> ANY_TEXT = of("text", text -> Optional.of(text));

  static final ScalarType<String> TEXT =
      of("text that is not empty", matching(text -> !text.isBlank()));

  static final ScalarType<Boolean> BOOLEAN =
      of(
          "true or false",
          text ->
              switch (text) {
                case "true", "True", "TRUE" -> Optional.of(true);
                case "false", "False", "FALSE" -> Optional.of(false);
                default -> Optional.empty();
              });

  static final ScalarType<String> SERVER =
      new ScalarType<>(
          "host:port with a port from 1 to 65535",
          matching(ScalarType::isServer),
          text -> Optional.of("write it as in broker-1:9092"));

  static final ScalarType<String> TOPIC =
      of("a topic name (1 to 249 of a-z A-Z 0-9 . _ -)", matching(ScalarType::isTopic));

  static final ScalarType<String> RETRY_TOPIC_NAMES =
      new ScalarType<>(
          "names of topics made of {topic}, {group-id} and {n}, each once",
          matching(ScalarType::isRetryTopicNames),
          text -> Optional.of("write it as in {topic}.{group-id}.retry.{n}"));

  static final ScalarType<Subscription.Matching> TOPICS_PATTERN =
      new ScalarType<>(
          "a regular expression of Java, at most 1000 characters long",
          ScalarType::topicsPattern,
          ScalarType::regexMistake);

  static final ScalarType<Subscription.Partition> PARTITION =
      new ScalarType<>(
          "a partition (a topic's name, - and a number from 0)",
          ScalarType::partition,
          text -> Optional.of("write it as in orders-0"));

  /** Kafka has the rule of topics for them. */
  static final ScalarType<String> MEMBER =
      of("a member's name (1 to 249 of a-z A-Z 0-9 . _ -)", matching(ScalarType::isTopic));

  /** Part of a transactional id, for which Kafka itself has no rule. */
  static final ScalarType<String> ID_PART =
      of("a name (1 to 249 of a-z A-Z 0-9 . _ -)", matching(ScalarType::isTopic));

  /** What a handler may throw. */
  static final ScalarType<Class<? extends Throwable>> FAILURE =
      new ScalarType<>(
          "the name of an exception's class on the classpath",
          ScalarType::failure,
          text -> Optional.of(failureMistake(text)));

  private static final ScalarType<MissingOffset.Start> STARTS = oneOf(MissingOffset.Start.class);
  private static final ScalarType<Duration> BACK = duration("1ms", "87600h");

  static final ScalarType<MissingOffset> MISSING_OFFSET =
      new ScalarType<>(
          "earliest, latest, fail or by-duration:24h",
          ScalarType::missingOffset,
          ScalarType::missingOffsetHint);

  static ScalarType<Integer> whole(int min, int max) {
    return new ScalarType<>(
        "a whole number from " + min + " to " + max,
        text ->
            WHOLE.matcher(text).matches()
                ? Optional.of(Long.parseLong(text))
                    .filter(number -> number >= min && number <= max)
                    .map(Long::intValue)
                : Optional.empty(),
        text ->
            WHOLE.matcher(text).matches() ? Optional.empty() : Optional.of("write digits only"));
  }

  static ScalarType<Double> decimal(String range, Predicate<Double> inRange) {
    return of(
        "a number " + range,
        text ->
            DECIMAL.matcher(text).matches()
                ? Optional.of(Double.valueOf(text)).filter(inRange)
                : Optional.empty());
  }

  static ScalarType<Duration> duration(String min, String max) {
    Duration shortest = Objects.requireNonNull(Units.duration(min));
    Duration longest = Objects.requireNonNull(Units.duration(max));
    return new ScalarType<>(
        "a duration from " + min + " to " + max,
        text ->
            Optional.ofNullable(Units.duration(text))
                .filter(it -> it.compareTo(shortest) >= 0 && it.compareTo(longest) <= 0),
        text -> {
          if (WHOLE.matcher(text).matches()) {
            return Optional.of("add a unit: ms, s, m or h");
          }
          return Units.duration(text) == null
              ? Optional.of("write it as in 100ms, 5s, 1m, 2h or PT5S")
              : Optional.empty();
        });
  }

  static ScalarType<Long> size(String min, String max) {
    long smallest = Objects.requireNonNull(Units.bytes(min));
    long largest = Objects.requireNonNull(Units.bytes(max));
    return new ScalarType<>(
        "a size from " + min + " to " + max,
        text ->
            Optional.ofNullable(Units.bytes(text)).filter(it -> it >= smallest && it <= largest),
        text ->
            Units.bytes(text) == null
                ? Optional.of("write it as in 512KB, 64MB, 1GB or as a number of bytes")
                : Optional.empty());
  }

  private static Optional<MissingOffset> missingOffset(String text) {
    int colon = text.indexOf(':');
    String start = colon < 0 ? text : text.substring(0, colon);
    Optional<Duration> back =
        colon < 0 ? Optional.empty() : BACK.parse().apply(text.substring(colon + 1).strip());
    return STARTS
        .parse()
        .apply(start)
        .flatMap(
            known ->
                known == MissingOffset.Start.BY_DURATION
                    ? back.map(duration -> new MissingOffset(known, duration))
                    : Optional.of(new MissingOffset(known)).filter(it -> colon < 0));
  }

  private static Optional<String> missingOffsetHint(String text) {
    return Spelling.folded(text).startsWith("byduration")
        ? Optional.of("write it as in by-duration:24h, with 1ms to 87600h")
        : STARTS.hint().apply(text);
  }

  private static Optional<Class<? extends Throwable>> failure(String text) {
    return Classpath.find(text)
        .filter(Throwable.class::isAssignableFrom)
        .map(type -> type.asSubclass(Throwable.class));
  }

  private static String failureMistake(String text) {
    return Classpath.find(text).isPresent()
        ? "it is a class, but nothing that can be thrown"
        : Classpath.HINT;
  }

  static <E extends Enum<E>> ScalarType<E> oneOf(Class<E> type) {
    List<E> constants = List.of(type.getEnumConstants());
    List<String> names = constants.stream().map(Spelling::kebab).toList();
    return new ScalarType<>(
        "one of " + String.join(", ", names),
        text ->
            constants.stream()
                .filter(it -> Spelling.folded(it.name()).equals(Spelling.folded(text)))
                .findFirst(),
        text -> NearestNames.suggest(text, names).map(name -> "did you mean '" + name + "'?"));
  }

  private static <T> ScalarType<T> of(String expected, Function<String, Optional<T>> parse) {
    return new ScalarType<>(expected, parse, text -> Optional.empty());
  }

  private static Function<String, Optional<String>> matching(Predicate<String> test) {
    return text -> Optional.of(text).filter(test);
  }

  private static boolean isServer(String text) {
    Matcher matcher = HOST_AND_PORT.matcher(text);
    if (!matcher.matches()) {
      return false;
    }
    int port = Integer.parseInt(matcher.group(1));
    return port >= 1 && port <= 65535;
  }

  private static Optional<Subscription.Matching> topicsPattern(String text) {
    try {
      return text.isBlank() || text.length() > LONGEST_PATTERN
          ? Optional.empty()
          : Optional.of(new Subscription.Matching(text));
    } catch (PatternSyntaxException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> regexMistake(String text) {
    if (text.isBlank() || text.length() > LONGEST_PATTERN) {
      return Optional.of("write it as in orders\\..*");
    }
    try {
      var unused = new Subscription.Matching(text);
      return Optional.empty();
    } catch (PatternSyntaxException e) {
      return Optional.of(e.getDescription() + " near index " + e.getIndex());
    }
  }

  private static Optional<Subscription.Partition> partition(String text) {
    Matcher matcher = PARTITION_NAME.matcher(text);
    return matcher.matches() && isTopic(matcher.group(1))
        ? Optional.of(
            new Subscription.Partition(matcher.group(1), Integer.parseInt(matcher.group(2))))
        : Optional.empty();
  }

  /** A number that is told from what stands beside it, so that no two levels share a name. */
  private static boolean isRetryTopicNames(String text) {
    boolean eachOnce =
        Stream.of("{topic}", "{group-id}", "{n}")
            .allMatch(part -> text.contains(part) && text.indexOf(part) == text.lastIndexOf(part));
    String names = text.replace("{topic}", "t").replace("{group-id}", "g").replace("{n}", "0");
    return eachOnce
        && isTopic(names)
        && !text.contains("}{")
        && !Pattern.compile("[0-9]\\{n}|\\{n}[0-9]").matcher(text).find();
  }

  private static boolean isTopic(String text) {
    return TOPIC_NAME.matcher(text).matches() && !text.equals(".") && !text.equals("..");
  }
}
