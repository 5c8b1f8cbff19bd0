package dev.millrace.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.IdempotencyStore;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each store must keep, the same for all. */
@ExtendWith(DatabasesExtension.class)
class IdempotencyStoreTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final Duration GENEROUS = Duration.ofSeconds(60);

  private static Databases databases;

  record Kind(String name, IdempotencyStore store) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Kind> kinds;

  @BeforeAll
  static void open(Databases itsOwn) throws Exception {
    databases = itsOwn;
    kinds =
        List.of(
            new Kind("in memory", InMemoryIdempotencyStore.ofAtMost(100_000)),
            new Kind("H2", JdbcIdempotencyStore.builder(databases.h2()).createTable().build()),
            new Kind(
                "PostgreSQL",
                JdbcIdempotencyStore.builder(databases.postgres()).createTable().build()));
  }

  static Stream<Kind> kinds() {
    return kinds.stream();
  }

  private static Claim claim(String id, String holder, Duration lease, Duration retention) {
    return new Claim("group", id, holder, lease, retention);
  }

  private static Claim claim(String id, String holder) {
    return claim(id, holder, LONG, LONG);
  }

  private static String newId() {
    return UUID.randomUUID().toString();
  }

  private static boolean isGranted(IdempotencyStore store, Claim claim) throws Exception {
    return store.begin(claim) instanceof Begun.Granted;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void grantsAFreeMessageOnceAndSaysThatItIsDone(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();

    assertThat(store.begin(claim(id, "a"))).isEqualTo(new Begun.Granted());
    assertThat(store.begin(claim(id, "b")))
        .isInstanceOfSatisfying(
            Begun.Held.class,
            held -> assertThat(held.left()).isPositive().isLessThanOrEqualTo(LONG));
    assertThat(store.done(claim(id, "a"))).isTrue();
    assertThat(store.begin(claim(id, "b"))).isEqualTo(new Begun.Done());
    assertThat(store.begin(claim(id, "a"))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void answersTheSameHolderTheSameAgain(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    Claim claim = claim(newId(), "a");

    assertThat(isGranted(store, claim)).isTrue();
    assertThat(isGranted(store, claim)).isTrue();
    assertThat(store.done(claim)).isTrue();
    assertThat(store.done(claim)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void keepsScopesApart(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    Claim other = new Claim("another group", id, "b", LONG, LONG);

    assertThat(isGranted(store, claim(id, "a"))).isTrue();
    assertThat(store.done(claim(id, "a"))).isTrue();
    assertThat(isGranted(store, other)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void freesWhatIsReleasedByItsHolderAlone(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    assertThat(isGranted(store, claim(id, "a"))).isTrue();

    store.release(claim(id, "b"));
    assertThat(isGranted(store, claim(id, "b"))).isFalse();
    store.release(claim(id, "a"));
    assertThat(isGranted(store, claim(id, "b"))).isTrue();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void doesNotFreeWhatIsDone(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    assertThat(isGranted(store, claim(id, "a"))).isTrue();
    assertThat(store.done(claim(id, "a"))).isTrue();

    store.release(claim(id, "a"));

    assertThat(store.begin(claim(id, "b"))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void refusesASlowHolderWhoseMessageWasTaken(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    Claim slow = claim(id, "slow", SHORT, LONG);
    Claim taker = claim(id, "taker");
    assertThat(isGranted(store, slow)).isTrue();
    await().atMost(GENEROUS).until(() -> isGranted(store, taker));

    assertThat(store.done(slow)).isFalse();
    store.release(slow);
    assertThat(store.begin(claim(id, "third"))).isInstanceOf(Begun.Held.class);
    assertThat(store.done(taker)).isTrue();
    assertThat(store.done(slow)).isFalse();
    assertThat(store.begin(slow)).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void believesASlowHolderWhoseMessageNobodyTook(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    Claim slow = claim(id, "slow", SHORT, LONG);
    assertThat(isGranted(store, slow)).isTrue();
    // Its lease is over when a message begun later has lost the same one.
    Claim later = claim(newId(), "slow", SHORT, LONG);
    assertThat(isGranted(store, later)).isTrue();
    await().atMost(GENEROUS).until(() -> isGranted(store, claim(later.id(), "taker")));

    assertThat(store.done(slow)).isTrue();
    assertThat(store.begin(claim(id, "b"))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void takesAsDoneWhatWasReleasedAndNotTaken(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    String id = newId();
    assertThat(isGranted(store, claim(id, "a"))).isTrue();
    store.release(claim(id, "a"));

    assertThat(store.done(claim(id, "a"))).isTrue();
    assertThat(store.begin(claim(id, "b"))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void forgetsWhatIsDoneWhenItsRetentionIsOver(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    Claim claim = claim(newId(), "a", LONG, SHORT);
    assertThat(isGranted(store, claim)).isTrue();
    assertThat(store.done(claim)).isTrue();

    await().atMost(GENEROUS).until(() -> isGranted(store, claim(claim.id(), "b")));
  }

  /** Of eight that begin the same message at once, one gets it; and of those that take it over. */
  @ParameterizedTest
  @MethodSource("kinds")
  void grantsOneOfManyThatBeginAtOnce(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    int threads = 8;
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      for (int round = 0; round < 50; round++) {
        String id = newId();
        boolean expired = round % 2 == 1;
        if (expired) {
          Claim former = claim(id, "former", Duration.ofMillis(1), LONG);
          assertThat(isGranted(store, former)).isTrue();
          Claim later = claim(newId(), "former", Duration.ofMillis(1), LONG);
          assertThat(isGranted(store, later)).isTrue();
          await().atMost(GENEROUS).until(() -> isGranted(store, claim(later.id(), "taker")));
        }
        AtomicInteger granted = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
          Claim mine = claim(id, "holder-" + i);
          all.add(
              pool.submit(
                  () -> {
                    start.await(60, TimeUnit.SECONDS);
                    if (isGranted(store, mine)) {
                      granted.incrementAndGet();
                    }
                    return null;
                  }));
        }
        for (Future<?> one : all) {
          one.get(60, TimeUnit.SECONDS);
        }
        assertThat(granted).as("round %d", round).hasValue(1);
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /**
   * Many threads, few messages, leases that end in the midst of it: of each message's handlings at
   * most one is believed until it is forgotten, and no two overlap but those of an ended lease.
   */
  @ParameterizedTest
  @MethodSource("kinds")
  void believesOneHandlingOfEachMessage(Kind kind) throws Exception {
    IdempotencyStore store = kind.store();
    int threads = 6;
    int messages = 40;
    String run = newId();
    AtomicInteger[] believed = new AtomicInteger[messages];
    for (int i = 0; i < messages; i++) {
      believed[i] = new AtomicInteger();
    }
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        String holder = "holder-" + t;
        all.add(
            pool.submit(
                () -> {
                  for (int message = 0; message < messages; message++) {
                    Claim mine =
                        claim(run + message, holder, Duration.ofMillis(1 + message % 4), LONG);
                    Begun begun = store.begin(mine);
                    while (!(begun instanceof Begun.Done)) {
                      if (begun instanceof Begun.Granted && store.done(mine)) {
                        believed[message].incrementAndGet();
                      }
                      begun = store.begin(mine);
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get(120, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
    for (int i = 0; i < messages; i++) {
      assertThat(believed[i]).as("message %d", i).hasValue(1);
    }
  }
}
