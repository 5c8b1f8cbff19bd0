package dev.millrace.idempotency.jdbc;

import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.UUID;

/**
 * The table of claims, and each question to it. All times are the database's own, since clocks of
 * processes differ. But for {@link #doneInTransaction} and {@link #isDone}, a connection that
 * commits by itself is wanted: each statement is atomic then, and but for a take-over no other is
 * needed.
 *
 * <p>Invariant: {@link #begin} never waits for a row that {@link #doneInTransaction} has locked,
 * which stays so until a handler ends. It reads the row as it was committed last, and takes it over
 * only where nobody has locked it.
 */
final class ClaimTable {
  private static final String DEFINITION =
      """
      CREATE TABLE IF NOT EXISTS %s (
        scope      VARCHAR(255) NOT NULL,
        id         VARCHAR(255) NOT NULL,
        holder     VARCHAR(64)  NOT NULL,
        done       BOOLEAN      NOT NULL,
        expires_at BIGINT       NOT NULL,
        PRIMARY KEY (scope, id)
      )""";

  private static final String INDEX = "CREATE INDEX IF NOT EXISTS %s_expires_at ON %s (expires_at)";

  /** What has expired is kept for a while, for a slow holder to find that nobody took it. */
  private static final long KEPT_MILLIS = Duration.ofHours(1).toMillis();

  /** Between an insert that finds a row and a look at it the row may go, but not each time. */
  private static final int MOST_TRIES = 10;

  private final String name;
  private final int timeoutSeconds;
  private final String check;
  private final String insert;
  private final boolean insertNamesItsRow;
  private final String look;
  private final String lockIfFree;
  private final String takeOver;
  private final String finish;
  private final String finishInTransaction;
  private final String lock;
  private final String release;
  private final String findExpired;
  private final String deleteExpired;

  /**
   * @param name the table's, as it is to stand in SQL
   * @param now an expression for the database's time, in milliseconds since the epoch
   * @param postgres whether it is PostgreSQL, which would count each insert of a row that exists as
   *     an error, in its log too; and where even {@code ON CONFLICT} waits for who has locked it
   */
  ClaimTable(String name, String now, boolean postgres, Duration timeout) {
    this.name = name;
    this.timeoutSeconds = Math.toIntExact(timeout.toSeconds());
    String row = " WHERE scope = ? AND id = ?";
    String skipLocked = " FOR UPDATE SKIP LOCKED";
    this.check =
        "SELECT scope, id, holder, done FROM "
            + name
            + " WHERE 1 = 0 AND expires_at > "
            + now
            + skipLocked;
    String values = "?, ?, ?, ?, " + now + " + ?";
    this.insert =
        "INSERT INTO "
            + name
            + " (scope, id, holder, done, expires_at) "
            + (postgres
                ? "SELECT %s WHERE NOT EXISTS (SELECT 1 FROM %s%s) ON CONFLICT DO NOTHING"
                    .formatted(values, name, row)
                : "VALUES (" + values + ")");
    this.insertNamesItsRow = postgres;
    this.takeOver =
        "UPDATE "
            + name
            + " SET holder = ?, done = FALSE, expires_at = "
            + now
            + " + ?"
            + row
            + " AND (expires_at <= "
            + now
            + " OR (holder = ? AND done = FALSE))";
    this.look = "SELECT done, holder, expires_at - " + now + " FROM " + name + row;
    this.lockIfFree = "SELECT 1 FROM " + name + row + skipLocked;
    String finished = "UPDATE " + name + " SET done = TRUE, expires_at = " + now + " + ?" + row;
    this.finish = finished + " AND holder = ?";
    this.finishInTransaction = finish + " AND done = FALSE";
    this.lock = "SELECT done, holder FROM " + name + row + " FOR UPDATE";
    this.release = "DELETE FROM " + name + row + " AND holder = ? AND done = FALSE";
    String expired = "expires_at < " + now + " - " + KEPT_MILLIS;
    this.findExpired =
        "SELECT scope, id FROM "
            + name
            + " WHERE "
            + expired
            + " ORDER BY expires_at FETCH FIRST ? ROWS ONLY";
    this.deleteExpired = "DELETE FROM " + name + row + " AND " + expired;
  }

  /** Makes the table and its index, where there are none. */
  void create(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(DEFINITION.formatted(name));
      String index = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      statement.execute(INDEX.formatted(index, name));
    } catch (SQLException failure) {
      // Of several that make it at the same time, databases let one fail.
      try {
        check(connection);
      } catch (SQLException missing) {
        failure.addSuppressed(missing);
        throw failure;
      }
    }
  }

  /** Fails when the table can't be read, or when the database does not understand its time. */
  void check(Connection connection) throws SQLException {
    try (PreparedStatement statement = prepare(connection, check)) {
      statement.executeQuery().close();
    }
  }

  /**
   * Fails when the columns' collation takes texts for the same that differ in case: of two messages
   * with such ids one would be passed over as a duplicate.
   */
  void requireExactIds(Connection connection) throws SQLException {
    String text = UUID.randomUUID().toString();
    Claim lower = new Claim(text + "a", text + "a", text, Duration.ZERO, Duration.ZERO);
    connection.setAutoCommit(false);
    insert(connection, lower, false, Duration.ZERO);
    boolean exact = !isThere(connection, text + "a", text + "A");
    exact &= !isThere(connection, text + "A", text + "a");
    connection.rollback();
    connection.setAutoCommit(true);
    if (!exact) {
      throw new SQLException(
          "In table '%s' two ids that differ in case are one, and of their messages one would be taken for a duplicate; give its columns 'scope' and 'id' a collation that tells them apart, such as utf8mb4_bin in MySQL."
              .formatted(name));
    }
  }

  private boolean isThere(Connection connection, String scope, String id) throws SQLException {
    try (PreparedStatement statement = prepare(connection, look)) {
      statement.setString(1, scope);
      statement.setString(2, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  Begun begin(Connection connection, Claim claim) throws SQLException {
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      if (insert(connection, claim, false, claim.lease())) {
        return new Begun.Granted();
      }
      try (PreparedStatement statement = prepare(connection, look)) {
        statement.setString(1, claim.scope());
        statement.setString(2, claim.id());
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            return begin(connection, claim, row.getBoolean(1), row.getString(2), row.getLong(3));
          }
        }
      }
    }
    throw new SQLException(
        "The row of message '%s' in %s came and went %d times."
            .formatted(claim.id(), name, MOST_TRIES));
  }

  private Begun begin(
      Connection connection, Claim claim, boolean done, String holder, long leftMillis)
      throws SQLException {
    if (leftMillis > 0 && done) {
      return new Begun.Done();
    }
    if (leftMillis > 0 && !holder.equals(claim.holder())) {
      return new Begun.Held(Duration.ofMillis(leftMillis));
    }
    return takeOver(connection, claim)
        ? new Begun.Granted()
        // Its lease is over and its transaction is not, or it was taken just now.
        : new Begun.Held(claim.lease());
  }

  boolean done(Connection connection, Claim claim) throws SQLException {
    // Where the row is gone, nobody has the message.
    return finish(connection, finish, claim) || insert(connection, claim, true, claim.retention());
  }

  /**
   * In a transaction, whose end is that of the row's lock too: until then nobody can take the
   * message.
   */
  boolean doneInTransaction(Connection connection, Claim claim) throws SQLException {
    return finish(connection, finishInTransaction, claim);
  }

  /** Returns whether the claim's transaction has been committed; waits for the end of it. */
  boolean isDone(Connection connection, Claim claim) throws SQLException {
    try (PreparedStatement statement = prepare(connection, lock)) {
      statement.setString(1, claim.scope());
      statement.setString(2, claim.id());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1) && claim.holder().equals(row.getString(2));
      }
    }
  }

  /** Returns whether the claim had the message. */
  boolean release(Connection connection, Claim claim) throws SQLException {
    try (PreparedStatement statement = prepare(connection, release)) {
      statement.setString(1, claim.scope());
      statement.setString(2, claim.id());
      statement.setString(3, claim.holder());
      return statement.executeUpdate() == 1;
    }
  }

  /** Deletes what has expired long ago, so many rows at most, and returns how many. */
  int deleteExpired(Connection connection, int most) throws SQLException {
    // One by one: with a subquery, some databases look at the whole table again for each row.
    try (PreparedStatement find = prepare(connection, findExpired);
        PreparedStatement delete = prepare(connection, deleteExpired)) {
      find.setInt(1, most);
      try (ResultSet row = find.executeQuery()) {
        while (row.next()) {
          delete.setString(1, row.getString(1));
          delete.setString(2, row.getString(2));
          delete.addBatch();
        }
      }
      return Arrays.stream(delete.executeBatch()).filter(rows -> rows > 0).sum();
    }
  }

  private boolean insert(Connection connection, Claim claim, boolean done, Duration lasting)
      throws SQLException {
    try (PreparedStatement statement = prepare(connection, insert)) {
      statement.setString(1, claim.scope());
      statement.setString(2, claim.id());
      statement.setString(3, claim.holder());
      statement.setBoolean(4, done);
      statement.setLong(5, lasting.toMillis());
      if (insertNamesItsRow) {
        statement.setString(6, claim.scope());
        statement.setString(7, claim.id());
      }
      return statement.executeUpdate() == 1;
    } catch (SQLException failure) {
      if (isConflict(failure)) {
        return false;
      }
      throw failure;
    }
  }

  /** Where this fails, the connection is closed with its transaction; either end of it will do. */
  private boolean takeOver(Connection connection, Claim claim) throws SQLException {
    connection.setAutoCommit(false);
    boolean taken = lockIfFree(connection, claim) && update(connection, claim);
    connection.commit();
    connection.setAutoCommit(true);
    return taken;
  }

  private boolean lockIfFree(Connection connection, Claim claim) throws SQLException {
    try (PreparedStatement statement = prepare(connection, lockIfFree)) {
      statement.setString(1, claim.scope());
      statement.setString(2, claim.id());
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  private boolean update(Connection connection, Claim claim) throws SQLException {
    try (PreparedStatement statement = prepare(connection, takeOver)) {
      statement.setString(1, claim.holder());
      statement.setLong(2, claim.lease().toMillis());
      statement.setString(3, claim.scope());
      statement.setString(4, claim.id());
      statement.setString(5, claim.holder());
      return statement.executeUpdate() == 1;
    }
  }

  private boolean finish(Connection connection, String sql, Claim claim) throws SQLException {
    try (PreparedStatement statement = prepare(connection, sql)) {
      statement.setLong(1, claim.retention().toMillis());
      statement.setString(2, claim.scope());
      statement.setString(3, claim.id());
      statement.setString(4, claim.holder());
      return statement.executeUpdate() == 1;
    }
  }

  private PreparedStatement prepare(Connection connection, String sql) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    statement.setQueryTimeout(timeoutSeconds);
    return statement;
  }

  /** The standard's class of integrity constraint violations. */
  private static boolean isConflict(SQLException failure) {
    return failure.getSQLState() != null && failure.getSQLState().startsWith("23");
  }
}
