package dev.millrace.testkit.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.fault.Verdict.Outcome;
import dev.millrace.testkit.guarantee.Evidence;
import dev.millrace.testkit.guarantee.Finding;
import dev.millrace.testkit.guarantee.Guarantee;
import dev.millrace.testkit.guarantee.Report;
import dev.millrace.testkit.guarantee.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** Time is stepped: a second is an entry in the log. */
class FaultRunTest {
  /** What happened, with the second it happened at. */
  private final List<String> log = new ArrayList<>();

  private long seconds;
  private final AtomicLong load = new AtomicLong();
  private final List<Integer> broken = new ArrayList<>();

  @Test
  void breaksAndHealsInTimeAndPasses() {
    Verdict verdict =
        run().recording(began -> log("> " + began), healed -> log("< " + healed)).run();

    assertThat(log)
        .containsExactly(
            "1 > outage 0",
            "1 breaks 0",
            "2 > outage 1",
            "2 breaks 1",
            "4 heals 0",
            "4 < outage 0",
            "4 > outage 2",
            "4 breaks 2",
            "6 heals 2",
            "6 < outage 2",
            "7 heals 1",
            "7 < outage 1",
            "10 checks");
    assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
    assertThatCode(verdict::requirePass).doesNotThrowAnyException();
    assertThat(verdict)
        .asString()
        .startsWith("PASS, seed 5 (again: schedule(5L), or -Dmillrace.fault.seed=5")
        .contains("1.000s break part 0 for 3.000s (outage 0): healed, witnessed 1")
        .contains("load 'records' moved by 10");
  }

  @Test
  void aFaultWithoutEffectProvesNothing() {
    Verdict verdict = run(i -> i == 1 ? fault(i, () -> 17) : fault(i)).run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts())
        .containsExactly("2.000s break part 1 for 5.000s: no effect was witnessed");
    assertThatThrownBy(verdict::requirePass)
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("INVALID, seed 5")
        .hasMessageContaining("no effect was witnessed")
        .hasMessageContaining("healed, witnessed 0");
  }

  @Test
  void anEffectThatShowsOnlyAfterTheHealIsOne() {
    AtomicLong heals = new AtomicLong();
    Verdict verdict =
        run(i -> new Fault("late " + i, () -> {}, heals::incrementAndGet, heals::get)).run();
    assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
  }

  @Test
  void aLoadThatStandsStillProvesNothing() {
    Verdict verdict = run().load("standing", () -> 4_000).run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).containsExactly("load 'standing' did not move");
  }

  @Test
  void aGuaranteeThatIsViolatedIsAFinding() {
    Finding finding = new Finding("no loss", "orders-0@3", "an end", "none", List.of());
    Result violated = new Result("no loss", Result.Status.VIOLATED, "", List.of(finding));

    Verdict verdict = run().guarantees("stock", () -> new Report(List.of(violated))).run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.FAIL);
    assertThat(verdict.findings())
        .singleElement()
        .asString()
        .startsWith("stock: no loss: VIOLATED 1")
        .contains("orders-0@3");
  }

  @Test
  void aGuaranteeThatLacksEvidenceProvesNothing() {
    Verdict verdict =
        run()
            .guarantees(
                "stock", () -> Guarantee.checkAll(Evidence.builder().build(), Guarantee.noLoss()))
            .run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts())
        .singleElement()
        .asString()
        .startsWith("stock: no loss: INCONCLUSIVE");
  }

  @Test
  void aScheduleWithoutAFaultProvesNothing() {
    Verdict verdict = complete(new FaultSchedule(5, Duration.ofSeconds(10), List.of())).run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).containsExactly("the schedule has no fault");
  }

  @Test
  void findingsFailTheRunEvenWhenThereAreDoubts() {
    Verdict verdict =
        run(i -> fault(i, () -> 0))
            .check("L1", () -> List.of("offset 3 is gone", "offset 4 is gone"))
            .check(
                "lag",
                () -> {
                  throw new AssertionError("lag 7");
                })
            .run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.FAIL);
    assertThat(verdict.findings())
        .containsExactly("L1: offset 3 is gone", "L1: offset 4 is gone", "lag: lag 7");
    assertThat(verdict.doubts()).hasSize(3);
  }

  @Test
  void aCheckWithoutEvidenceProvesNothing() {
    Verdict verdict =
        run()
            .check(
                "history",
                () -> {
                  throw new TestKitException("no file", null);
                })
            .run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).singleElement().asString().contains("'history'", "no file");
  }

  @Test
  void aFaultThatFailsToBeginIsHealedAndEndsTheRun() {
    Verdict verdict =
        run(i -> i == 1 ? failing(i, "begin") : fault(i)).check("held", () -> List.of()).run();

    assertThat(log)
        .containsExactly("1 breaks 0", "2 begins 1", "2 heals 1", "2 heals 0", "2 checks");
    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).first().asString().contains("part 1", "could not begin", "broke");
    assertThat(verdict.course())
        .anySatisfy(line -> assertThat(line).endsWith("for 2.000s: not begun"));
  }

  @Test
  void anErrorOfAFaultIsNoWayOutEither() {
    Verdict verdict =
        run(i -> {
              if (i == 2) {
                throw new StackOverflowError();
              }
              return fault(i);
            })
            .run();

    assertThat(log)
        .containsExactly("1 breaks 0", "2 breaks 1", "4 heals 0", "4 heals 1", "4 checks");
    assertThat(verdict.doubts()).singleElement().asString().contains("StackOverflowError");
  }

  @Test
  void aFaultThatCantBeHealedIsTriedAgainAndNothingIsChecked() {
    Verdict verdict = run(i -> i == 0 ? failing(i, "heal") : fault(i)).run();

    assertThat(log)
        .containsExactly("1 begins 0", "2 breaks 1", "4 heals 0", "4 heals 1", "4 heals 0");
    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts())
        .anySatisfy(doubt -> assertThat(doubt).contains("nothing was checked"));
    assertThat(verdict.course()).first().asString().contains("NOT healed");
  }

  @Test
  void aWitnessThatFailsKeepsNothingBroken() {
    Verdict verdict =
        run(i ->
                fault(
                    i,
                    () -> {
                      if (broken.contains(0)) {
                        throw new TestKitException("can't see", null);
                      }
                      return 0;
                    }))
            .run();

    assertThat(broken).isEmpty();
    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).first().asString().contains("can't see");
  }

  @Test
  void anInterruptionHealsWithoutBeingInTheWay() {
    List<Boolean> interruptedWhileHealing = new ArrayList<>();
    Verdict verdict =
        run(i ->
                new Fault(
                    "outage " + i,
                    () -> {
                      broken.add(i);
                      if (i == 1) {
                        Thread.currentThread().interrupt();
                      }
                    },
                    () -> {
                      broken.remove((Integer) i);
                      interruptedWhileHealing.add(Thread.currentThread().isInterrupted());
                    },
                    broken::size))
            .run();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(broken).isEmpty();
    assertThat(interruptedWhileHealing).containsExactly(false, false);
    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
    assertThat(verdict.doubts()).contains("it was interrupted; nothing was checked");
    assertThat(log).isEmpty();
  }

  @Test
  void aHealThatIsInterruptedIsDoneAgain() {
    Verdict verdict =
        run(i ->
                new Fault(
                    "outage " + i,
                    () -> broken.add(i),
                    () -> {
                      if (seconds == 4 && broken.size() == 2 && log.isEmpty()) {
                        log("interrupted");
                        throw new InterruptedException();
                      }
                      broken.remove((Integer) i);
                    },
                    broken::size))
            .run();

    assertThat(Thread.interrupted()).isTrue();
    assertThat(broken).isEmpty();
    assertThat(log).containsExactly("4 interrupted");
    assertThat(verdict.outcome()).isEqualTo(Outcome.INVALID);
  }

  @Test
  void refusesToRunWhatCouldProveNothing() {
    FaultSchedule schedule = schedule();
    assertThatIllegalStateException()
        .isThrownBy(() -> FaultRun.of(schedule).load("l", load::get).check("c", List::of).run())
        .withMessageContaining("[break]");
    assertThatIllegalStateException()
        .isThrownBy(
            () -> FaultRun.of(schedule).fault("break", this::fault).check("c", List::of).run())
        .withMessageContaining("without a load");
    assertThatIllegalStateException()
        .isThrownBy(
            () -> FaultRun.of(schedule).fault("break", this::fault).load("l", load::get).run())
        .withMessageContaining("without a check");
    assertThat(log).isEmpty();
  }

  @Test
  void realTimePasses() {
    FaultStep step =
        new FaultStep(Duration.ofMillis(20), "break", "part", 0, Duration.ofMillis(30));
    long start = System.nanoTime();
    Verdict verdict =
        FaultRun.of(new FaultSchedule(0, Duration.ofMillis(70), List.of(step)))
            .fault("break", this::fault)
            .load("time", System::nanoTime)
            .check("none", List::of)
            .run();

    assertThat(verdict.outcome()).isEqualTo(Outcome.PASS);
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isGreaterThanOrEqualTo(Duration.ofMillis(70));
  }

  private FaultRun run() {
    return run(this::fault);
  }

  private FaultRun run(IntFunction<Fault> onTarget) {
    return complete(schedule()).fault("break", onTarget);
  }

  private FaultRun complete(FaultSchedule schedule) {
    return FaultRun.of(schedule)
        .load("records", load::get)
        .check(
            "log",
            () -> {
              log("checks");
              return List.of();
            })
        .pausing(
            duration -> {
              if (Thread.interrupted()) {
                throw new InterruptedException();
              }
              seconds += duration.toSeconds();
              load.addAndGet(duration.toSeconds());
            });
  }

  /** Two overlap, and one begins when another is healed. */
  private static FaultSchedule schedule() {
    return new FaultSchedule(
        5, Duration.ofSeconds(10), List.of(step(1, 0, 3), step(2, 1, 5), step(4, 2, 2)));
  }

  private static FaultStep step(long at, int target, long lasts) {
    return new FaultStep(
        Duration.ofSeconds(at), "break", "part", target, Duration.ofSeconds(lasts));
  }

  private Fault fault(int target) {
    return fault(target, () -> broken.contains(target) ? 1 : 0);
  }

  private Fault fault(int target, LongSupplier witness) {
    return new Fault(
        "outage " + target,
        () -> {
          log("breaks " + target);
          broken.add(target);
        },
        () -> {
          log("heals " + target);
          broken.remove((Integer) target);
        },
        witness);
  }

  private Fault failing(int target, String act) {
    return new Fault(
        "outage " + target,
        () -> {
          log("begins " + target);
          fail(act.equals("begin"));
        },
        () -> {
          log("heals " + target);
          fail(act.equals("heal"));
        },
        () -> 0);
  }

  private static void fail(boolean now) {
    if (now) {
      throw new IllegalStateException("broke");
    }
  }

  private void log(String what) {
    log.add(seconds + " " + what);
  }
}
