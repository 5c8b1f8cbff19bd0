package dev.millrace.idempotency.jdbc;

import static dev.millrace.idempotency.jdbc.Databases.execute;
import static dev.millrace.idempotency.jdbc.Databases.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.MessageTakenException;
import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An effect and its message's id: both or neither. */
@ExtendWith(DatabasesExtension.class)
class JdbcEffectsTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration GENEROUS = Duration.ofSeconds(60);

  private static Databases databases;

  @BeforeAll
  static void open(Databases itsOwn) throws Exception {
    databases = itsOwn;
    for (DataSource database : new DataSource[] {databases.h2(), databases.postgres()}) {
      execute(database, "CREATE TABLE effects (message VARCHAR(100) NOT NULL)");
    }
  }

  static Stream<Fixture> kinds() throws SQLException {
    return Stream.of(
        new Fixture("H2", databases.h2()), new Fixture("PostgreSQL", databases.postgres()));
  }

  private static final class Fixture {
    private final String name;
    private final DataSource database;
    private final FailingCommits commits;
    private final JdbcIdempotencyStore store;
    private final Claim claim;

    Fixture(String name, DataSource database) throws SQLException {
      this.name = name;
      this.database = database;
      this.commits = new FailingCommits(database);
      this.store = JdbcIdempotencyStore.builder(commits.database()).createTable().build();
      this.claim = claim(LONG);
    }

    static Claim claim(Duration lease) {
      return new Claim("group", UUID.randomUUID().toString(), "holder", lease, LONG);
    }

    Claim anothers(Claim its) {
      return new Claim("group", its.id(), "another", LONG, LONG);
    }

    void handle(Claim under, JdbcHandler<String> handler) throws Exception {
      RecordHandler<String> wrapped = JdbcEffects.in(store).handler(handler);
      wrapped.handle("value", new ClaimedContext(Optional.of(under)));
    }

    void effect(Claim of, Connection connection) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute("INSERT INTO effects VALUES ('" + of.id() + "')");
      }
    }

    long effects(Claim of) throws SQLException {
      return number(database, "SELECT COUNT(*) FROM effects WHERE message = '" + of.id() + "'");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void commitsTheEffectWithTheId(Fixture its) throws Exception {
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());

    its.handle(its.claim, (value, context, connection) -> its.effect(its.claim, connection));

    assertThat(its.effects(its.claim)).isOne();
    assertThat(its.store.begin(its.anothers(its.claim))).isEqualTo(new Begun.Done());
    assertThat(its.store.done(its.claim)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void rollsBothBackWhenTheHandlerThrows(Fixture its) throws Exception {
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());

    assertThatThrownBy(
            () ->
                its.handle(
                    its.claim,
                    (value, context, connection) -> {
                      its.effect(its.claim, connection);
                      throw new IllegalStateException("out of stock");
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("out of stock");

    assertThat(its.effects(its.claim)).isZero();
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void doesNothingWhenAnotherHasTakenTheMessage(Fixture its) throws Exception {
    Claim slow = Fixture.claim(Duration.ofMillis(1));
    assertThat(its.store.begin(slow)).isEqualTo(new Begun.Granted());
    Claim taker = its.anothers(slow);
    await().atMost(GENEROUS).until(() -> its.store.begin(taker) instanceof Begun.Granted);

    assertThatThrownBy(
            () -> its.handle(slow, (value, context, connection) -> its.effect(slow, connection)))
        .isInstanceOf(MessageTakenException.class)
        .hasMessageContaining(slow.id())
        .hasMessageMatching("By table 'millrace_idempotency' of the " + its + " database '.+', .*");

    assertThat(its.effects(slow)).isZero();
  }

  /** The lease is over long before the handler is, and yet nobody gets the message. */
  @ParameterizedTest
  @MethodSource("kinds")
  void holdsTheMessageForAsLongAsTheTransactionLasts(Fixture its) throws Exception {
    Claim slow = Fixture.claim(Duration.ofMillis(1));
    assertThat(its.store.begin(slow)).isEqualTo(new Begun.Granted());
    CountDownLatch inHandler = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    ExecutorService pool = Executors.newFixedThreadPool(2);
    try {
      Future<?> handling =
          pool.submit(
              () -> {
                its.handle(
                    slow,
                    (value, context, connection) -> {
                      its.effect(slow, connection);
                      inHandler.countDown();
                      assertThat(goOn.await(60, TimeUnit.SECONDS)).isTrue();
                    });
                return null;
              });
      assertThat(inHandler.await(60, TimeUnit.SECONDS)).isTrue();
      CompletableFuture<Thread> asking = new CompletableFuture<>();
      Future<Begun> asked =
          pool.submit(
              () -> {
                asking.complete(Thread.currentThread());
                Begun begun = its.store.begin(its.anothers(slow));
                while (begun instanceof Begun.Held) {
                  begun = its.store.begin(its.anothers(slow));
                }
                return begun;
              });
      asking.get(60, TimeUnit.SECONDS);
      goOn.countDown();

      assertThat(asked.get(60, TimeUnit.SECONDS)).isEqualTo(new Begun.Done());
      handling.get(60, TimeUnit.SECONDS);
      assertThat(its.effects(slow)).isOne();
    } finally {
      pool.shutdownNow();
    }
  }

  /** An answer that comes too late would count as none, and the store as one that is down. */
  @ParameterizedTest
  @MethodSource("kinds")
  void tellsAtOnceThatAMessageInItsHandlerIsHeld(Fixture its) throws Exception {
    for (Duration lease : new Duration[] {LONG, Duration.ofMillis(1)}) {
      Claim inHandler = Fixture.claim(lease);
      assertThat(its.store.begin(inHandler)).isEqualTo(new Begun.Granted());

      its.handle(
          inHandler,
          (value, context, connection) -> {
            // The transaction ends after this, so whoever waits for its end gets no answer.
            assertThat(its.store.begin(its.anothers(inHandler))).isInstanceOf(Begun.Held.class);
          });

      assertThat(its.store.begin(its.anothers(inHandler))).isEqualTo(new Begun.Done());
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void readsTheIdWhenTheCommitWasMadeButNotConfirmed(Fixture its) throws Exception {
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());
    its.commits.next(FailingCommits.Next.MADE_BUT_NOT_CONFIRMED);

    its.handle(its.claim, (value, context, connection) -> its.effect(its.claim, connection));

    assertThat(its.effects(its.claim)).isOne();
    assertThat(its.store.begin(its.anothers(its.claim))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void failsWhenTheCommitWasNotMade(Fixture its) throws Exception {
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());
    its.commits.next(FailingCommits.Next.NOT_MADE);

    assertThatThrownBy(
            () ->
                its.handle(
                    its.claim, (value, context, connection) -> its.effect(its.claim, connection)))
        .isInstanceOf(SQLException.class)
        .hasMessage("The connection was lost.");

    assertThat(its.effects(its.claim)).isZero();
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void keepsTheTransactionsEndFromTheHandler(Fixture its) throws Exception {
    assertThat(its.store.begin(its.claim)).isEqualTo(new Begun.Granted());

    its.handle(
        its.claim,
        (value, context, connection) -> {
          its.effect(its.claim, connection);
          assertThatThrownBy(connection::commit)
              .isInstanceOf(SQLException.class)
              .hasMessageContaining("'commit' is not the handler's");
          assertThatThrownBy(connection::rollback).isInstanceOf(SQLException.class);
          assertThatThrownBy(() -> connection.setAutoCommit(true)).isInstanceOf(SQLException.class);
          var before = connection.setSavepoint();
          its.effect(its.claim, connection);
          connection.rollback(before);
          connection.close();
          assertThat(connection.isClosed()).isFalse();
        });

    assertThat(its.effects(its.claim)).isOne();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void handlesNoRecordWithoutAnId(Fixture its) throws Exception {
    RecordHandler<String> handler =
        JdbcEffects.in(its.store)
            .handler((value, context, connection) -> its.effect(its.claim, connection));

    assertThatThrownBy(() -> handler.handle("value", new ClaimedContext(Optional.empty())))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("missing-id: fail");

    assertThat(its.effects(its.claim)).isZero();
  }
}
