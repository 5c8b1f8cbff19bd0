package dev.millrace.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FaultScheduleTest {
  private static final int SEEDS = 3_000;
  private static final Duration LENGTH = Duration.ofSeconds(60);
  private static final Targets BROKERS = new Targets("broker", 5, 2);
  private static final Targets CONSUMERS = Targets.of("consumer", 2);

  @Test
  void aSeedGivesTheSameScheduleOnEveryMachineForEver() {
    assertThat(plan().schedule(42))
        .hasToString(
            """
            12 faults in 60.000s, seed 42
                4.586s kill broker 3 for 6.978s
                7.627s kill broker 1 for 11.328s
               15.127s pause broker 4 for 5.340s
               16.295s crash consumer 0 for 4.000s
               22.411s pause broker 2 for 6.414s
               24.958s kill broker 1 for 10.289s
               27.835s crash consumer 1 for 4.000s
               34.572s crash consumer 1 for 4.000s
               40.943s kill broker 4 for 11.476s
               44.994s crash consumer 0 for 4.000s
               49.059s crash consumer 0 for 4.000s
               53.626s kill broker 1 for 5.655s""");
    assertThat(plan().oneAtATime().schedule(-1))
        .hasToString(
            """
            5 faults in 60.000s, seed -1
                3.829s crash consumer 1 for 4.000s
                9.669s pause broker 4 for 8.125s
               23.498s pause broker 4 for 7.128s
               33.714s kill broker 0 for 5.789s
               40.669s kill broker 1 for 14.099s""");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatHoldsForEachSeed(boolean oneAtATime) {
    FaultPlan plan = oneAtATime ? plan().oneAtATime() : plan();
    FaultPlan again = oneAtATime ? plan().oneAtATime() : plan();
    for (long seed = 0; seed < SEEDS; seed++) {
      FaultSchedule schedule = plan.schedule(seed);

      assertThat(violations(schedule, oneAtATime)).as("%s", schedule).isEmpty();
      assertThat(again.schedule(seed)).isEqualTo(schedule);
    }
  }

  @Test
  void bothEndsOfARangeAreDrawn() {
    Span span = Span.of("A range", Duration.ofMillis(2), Duration.ofMillis(5), 0);
    SplittableRandom random = new SplittableRandom(1);

    assertThat(LongStream.range(0, 1_000).map(i -> span.draw(random, 10)).boxed())
        .containsOnly(2L, 3L, 4L, 5L);
    assertThat(LongStream.range(0, 1_000).map(i -> span.draw(random, 3)).boxed())
        .containsOnly(2L, 3L);
  }

  @Test
  void seedsDifferAndUseAllThereIs() {
    List<FaultSchedule> all = LongStream.range(0, SEEDS).mapToObj(plan()::schedule).toList();
    List<FaultStep> steps = all.stream().flatMap(schedule -> schedule.steps().stream()).toList();

    assertThat(all.stream().map(FaultSchedule::steps).distinct()).hasSize(SEEDS);
    Map<String, Long> hits =
        steps.stream()
            .map(step -> step.kind() + " " + step.targets() + " " + step.target())
            .collect(Collectors.groupingBy(hit -> hit, TreeMap::new, Collectors.counting()));
    assertThat(hits).hasSize(5 + 5 + 2);
    assertThat(steps.stream().mapToLong(step -> step.lasts().toMillis()).summaryStatistics())
        .satisfies(lasts -> assertThat(lasts.getMin()).isEqualTo(3_000))
        .satisfies(lasts -> assertThat(lasts.getMax()).isBetween(14_900L, 15_000L));
    assertThat(IntStream.range(1, 6).mapToLong(n -> overlapping(all, n)).boxed())
        .as("schedules that ever have 1, 2, 3, 4, 5 faults at once")
        .satisfies(counts -> assertThat(counts.subList(0, 3)).allMatch(n -> n > 100))
        .endsWith(0L, 0L);
  }

  @Test
  void weightsAreKept() {
    FaultPlan plan =
        FaultPlan.lasting(LENGTH)
            .fault("often", 3, CONSUMERS, Duration.ofSeconds(1), Duration.ofSeconds(2))
            .fault("seldom", 1, CONSUMERS, Duration.ofSeconds(1), Duration.ofSeconds(2));
    Map<String, Long> counts =
        LongStream.range(0, SEEDS)
            .boxed()
            .flatMap(seed -> plan.schedule(seed).steps().stream())
            .collect(Collectors.groupingBy(FaultStep::kind, Collectors.counting()));

    double ratio = (double) counts.get("often") / counts.get("seldom");
    assertThat(ratio).isBetween(2.9, 3.1);
  }

  @Test
  void aPlanThatFitsExactlyHasOneFault() {
    FaultPlan plan =
        FaultPlan.lasting(Duration.ofSeconds(3))
            .gap(Duration.ofSeconds(2), Duration.ofSeconds(2))
            .fault("kill", 1, CONSUMERS, Duration.ofSeconds(1), Duration.ofMinutes(1));

    assertThat(plan.schedule(1).steps())
        .extracting(FaultStep::at, FaultStep::healedAt)
        .containsExactly(tuple(Duration.ofSeconds(2), Duration.ofSeconds(3)));
  }

  @Test
  void noGapFillsTheTimeAndEnds() {
    FaultSchedule schedule =
        FaultPlan.lasting(Duration.ofMillis(100))
            .gap(Duration.ZERO, Duration.ZERO)
            .fault("kill", 1, BROKERS, Duration.ofMillis(1), Duration.ofMillis(1))
            .schedule(7);

    assertThat(schedule.steps()).hasSize(200);
  }

  @Test
  void refusesAPlanThatCantBe() {
    Duration second = Duration.ofSeconds(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> FaultPlan.lasting(LENGTH).schedule(1))
        .withMessageContaining("no room for a fault");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                FaultPlan.lasting(second.multipliedBy(5))
                    .fault("kill", 1, BROKERS, second, second)
                    .schedule(1))
        .withMessageContaining("5.000s");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan().fault("kill", 1, BROKERS, second, second))
        .withMessageContaining("'kill' already");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan().fault("cut", 0, BROKERS, second, second))
        .withMessageContaining("'cut'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan().fault("cut", 1, BROKERS, second, Duration.ZERO))
        .withMessageContaining("'cut'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan().fault("cut", 1, BROKERS, Duration.ZERO, second))
        .withMessageContaining("1 ms");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plan().fault("cut", 1, Targets.of("broker", 3), second, second))
        .withMessageContaining("different things by 'broker'");
    assertThatIllegalArgumentException().isThrownBy(() -> plan().gap(second, Duration.ZERO));
    assertThatIllegalArgumentException().isThrownBy(() -> new Targets("broker", 3, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> new Targets("broker", 3, 0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "0, 10, 0 | 0, 5, 1 | 5, 6, 0 | '5.000s kill broker 0 for 6.000s' begins before",
        "3, 1, 0 | 0, 5, 1 | 9, 1, 0 | is to stand before",
        "0, 1, 0 | 0, 5, 1 | 9, 3, 0 | is not healed by the end, 11.000s",
      })
  void aScheduleByHandIsHeldToTheSameRules(String a, String b, String c, String error) {
    List<FaultStep> steps = List.of(step(a), step(b), step(c));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new FaultSchedule(0, Duration.ofSeconds(11), steps))
        .withMessageContaining(error);
    assertThat(new FaultSchedule(0, Duration.ofSeconds(11), steps.subList(1, 2)).steps())
        .hasSize(1);
  }

  @Test
  void theSeedCanComeFromOutside() {
    assertThat(plan().anySchedule()).isNotEqualTo(plan().anySchedule());
    System.setProperty(FaultPlan.SEED_PROPERTY, "-7");
    try {
      assertThat(plan().anySchedule()).isEqualTo(plan().schedule(-7));
      System.setProperty(FaultPlan.SEED_PROPERTY, "seven");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> plan().anySchedule())
          .withMessageContaining("millrace.fault.seed is 'seven'");
    } finally {
      System.clearProperty(FaultPlan.SEED_PROPERTY);
    }
  }

  private static FaultPlan plan() {
    return FaultPlan.lasting(LENGTH)
        .gap(Duration.ofSeconds(1), Duration.ofSeconds(8))
        .fault("kill", 3, BROKERS, Duration.ofSeconds(5), Duration.ofSeconds(15))
        .fault("pause", 2, BROKERS, Duration.ofSeconds(3), Duration.ofSeconds(9))
        .fault("crash", 1, CONSUMERS, Duration.ofSeconds(4), Duration.ofSeconds(4));
  }

  private static Duration shortest(FaultStep step) {
    return Duration.ofSeconds(Map.of("kill", 5, "pause", 3, "crash", 4).get(step.kind()));
  }

  private static Duration longest(FaultStep step) {
    return Duration.ofSeconds(Map.of("kill", 15, "pause", 9, "crash", 4).get(step.kind()));
  }

  private static List<String> violations(FaultSchedule schedule, boolean oneAtATime) {
    List<String> violations = new ArrayList<>();
    if (schedule.steps().isEmpty()) {
      violations.add("no fault");
    }
    Duration last = Duration.ZERO;
    for (FaultStep step : schedule.steps()) {
      Duration gap = step.at().minus(last);
      last = oneAtATime ? step.healedAt() : step.at();
      if (gap.toMillis() < 1_000 || (oneAtATime && gap.toMillis() > 8_000)) {
        violations.add("gap " + gap + " before " + step);
      }
      if (step.healedAt().compareTo(LENGTH) > 0) {
        violations.add("never healed: " + step);
      }
      if (step.lasts().compareTo(shortest(step)) < 0 || step.lasts().compareTo(longest(step)) > 0) {
        violations.add("out of its range: " + step);
      }
      List<FaultStep> broken = schedule.steps().stream().filter(s -> covers(s, step.at())).toList();
      checkBroken(BROKERS, broken, violations);
      checkBroken(CONSUMERS, broken, violations);
      if (oneAtATime && broken.size() != 1) {
        violations.add("at once: " + broken);
      }
    }
    // The longest wait for all that may be broken, one gap, and no room for the shortest fault.
    if (LENGTH.minus(last).compareTo(Duration.ofSeconds(15 + 8 + 3)) > 0) {
      violations.add("nothing after " + last);
    }
    return violations;
  }

  private static void checkBroken(
      Targets targets, List<FaultStep> broken, List<String> violations) {
    List<Integer> hit = targets(broken, targets);
    if (hit.size() > targets.mostBroken()
        || hit.stream().distinct().count() < hit.size()
        || hit.stream().anyMatch(i -> i < 0 || i >= targets.count())) {
      violations.add("broken at once: " + broken);
    }
  }

  private static long overlapping(List<FaultSchedule> all, int faults) {
    return all.stream()
        .filter(
            schedule ->
                schedule.steps().stream()
                    .anyMatch(
                        step ->
                            schedule.steps().stream().filter(s -> covers(s, step.at())).count()
                                == faults))
        .count();
  }

  private static List<Integer> targets(List<FaultStep> steps, Targets targets) {
    return steps.stream()
        .filter(step -> step.targets().equals(targets.name()))
        .map(FaultStep::target)
        .toList();
  }

  private static boolean covers(FaultStep step, Duration time) {
    return step.at().compareTo(time) <= 0 && step.healedAt().compareTo(time) > 0;
  }

  private static FaultStep step(String numbers) {
    String[] parts = numbers.split(", ", -1);
    return new FaultStep(
        Duration.ofSeconds(Long.parseLong(parts[0])),
        "kill",
        "broker",
        Integer.parseInt(parts[2]),
        Duration.ofSeconds(Long.parseLong(parts[1])));
  }
}
