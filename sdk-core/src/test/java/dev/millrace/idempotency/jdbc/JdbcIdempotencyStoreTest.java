package dev.millrace.idempotency.jdbc;

import static dev.millrace.idempotency.jdbc.Databases.execute;
import static dev.millrace.idempotency.jdbc.Databases.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The table: made, checked, and kept small. */
@ExtendWith(DatabasesExtension.class)
class JdbcIdempotencyStoreTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final String EXPIRE = "UPDATE %s SET expires_at = expires_at - 3 * 3600 * 1000";

  private static Databases databases;

  @BeforeAll
  static void open(Databases itsOwn) {
    databases = itsOwn;
  }

  static Stream<DataSource> kinds() {
    return Stream.of(databases.h2(), databases.postgres());
  }

  private static Claim claim(int message) {
    return new Claim("group", "message-" + message, "holder", LONG, LONG);
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void makesItsTableThoughManyDoItAtOnce(DataSource database) throws Exception {
    int threads = 8;
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<JdbcIdempotencyStore>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int message = i;
        all.add(
            pool.submit(
                () -> {
                  start.await(60, TimeUnit.SECONDS);
                  JdbcIdempotencyStore store =
                      JdbcIdempotencyStore.builder(database)
                          .table("made_at_once")
                          .createTable()
                          .build();
                  assertThat(store.begin(claim(message))).isEqualTo(new Begun.Granted());
                  return store;
                }));
      }
      for (Future<JdbcIdempotencyStore> one : all) {
        one.get(60, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(number(database, "SELECT COUNT(*) FROM made_at_once")).isEqualTo(threads);
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void refusesToStartWithoutItsTable(DataSource database) {
    assertThatThrownBy(() -> JdbcIdempotencyStore.builder(database).table("not_there").build())
        .isInstanceOf(SQLException.class)
        .hasMessageMatching("(?is).*not_there.*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"scope", "id"})
  void refusesATableToWhichUpperAndLowerCaseAreTheSame(String column) throws Exception {
    String table = "any_case_" + column;
    JdbcIdempotencyStore.builder(databases.h2()).table(table).createTable().build();
    assertThat(number(databases.h2(), "SELECT COUNT(*) FROM " + table)).isZero();
    execute(
        databases.h2(),
        "ALTER TABLE %s ALTER COLUMN %s VARCHAR_IGNORECASE(255) NOT NULL".formatted(table, column));

    assertThatThrownBy(() -> JdbcIdempotencyStore.builder(databases.h2()).table(table).build())
        .isInstanceOf(SQLException.class)
        .hasMessageStartingWith("In table '" + table + "' two ids that differ in case are one");

    assertThat(number(databases.h2(), "SELECT COUNT(*) FROM " + table)).isZero();
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void deletesWhatHasExpiredLongAgoAndNoMoreThanAsked(DataSource database) throws Exception {
    JdbcIdempotencyStore store =
        JdbcIdempotencyStore.builder(database).table("old_rows").createTable().build();
    for (int i = 0; i < 10; i++) {
      assertThat(store.begin(claim(i))).isEqualTo(new Begun.Granted());
    }
    execute(database, EXPIRE.formatted("old_rows"));
    assertThat(store.begin(claim(10))).isEqualTo(new Begun.Granted());

    assertThat(store.deleteExpired(7)).isEqualTo(7);
    assertThat(store.deleteExpired(7)).isEqualTo(3);
    assertThat(store.deleteExpired(7)).isZero();
    assertThat(number(database, "SELECT COUNT(*) FROM old_rows")).isOne();
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void deletesFasterThanItInserts(DataSource database) throws Exception {
    JdbcIdempotencyStore store =
        JdbcIdempotencyStore.builder(database).table("many_rows").createTable().build();
    for (int i = 0; i < 500; i++) {
      assertThat(store.begin(claim(i))).isEqualTo(new Begun.Granted());
    }
    execute(database, EXPIRE.formatted("many_rows"));

    for (int i = 500; i < 1000; i++) {
      assertThat(store.begin(claim(i))).isEqualTo(new Begun.Granted());
    }

    assertThat(number(database, "SELECT COUNT(*) FROM many_rows")).isEqualTo(500);
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void believesAHolderWhoseRowIsGone(DataSource database) throws Exception {
    JdbcIdempotencyStore store =
        JdbcIdempotencyStore.builder(database).table("gone_row").createTable().build();
    assertThat(store.begin(claim(1))).isEqualTo(new Begun.Granted());
    execute(database, EXPIRE.formatted("gone_row"));
    assertThat(store.deleteExpired(1)).isOne();

    assertThat(store.done(claim(1))).isTrue();
    assertThat(store.begin(claim(1))).isEqualTo(new Begun.Done());
  }

  @ParameterizedTest(autoCloseArguments = false) // The pool is shared.
  @MethodSource("kinds")
  void takesNoNameThatIsNone(DataSource database) {
    assertThatThrownBy(() -> JdbcIdempotencyStore.builder(database).table("t; DROP TABLE t"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no table's name");
  }
}
