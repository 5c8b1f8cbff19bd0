package dev.millrace.idempotency.jdbc;

import dev.millrace.idempotency.Begun;
import dev.millrace.idempotency.Claim;
import dev.millrace.idempotency.IdempotencyStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store in a table, for all processes that use the database. For a new message it takes two
 * statements: one before its handler, one after it.
 *
 * <p>The table, where the service does not have it made by {@link Builder#createTable}:
 *
 * <pre>{@code
 * CREATE TABLE millrace_idempotency (
 *   scope      VARCHAR(255) NOT NULL,
 *   id         VARCHAR(255) NOT NULL,
 *   holder     VARCHAR(64)  NOT NULL,
 *   done       BOOLEAN      NOT NULL,
 *   expires_at BIGINT       NOT NULL,  -- milliseconds since the epoch, by the database's clock
 *   PRIMARY KEY (scope, id)
 * );
 * CREATE INDEX millrace_idempotency_expires_at ON millrace_idempotency (expires_at);
 * }</pre>
 *
 * <p>Ids are compared as the columns' collation does: it must be one to which texts that differ are
 * different. {@link Builder#build} makes sure of upper and lower case. Where a database's own
 * collation is another one, as in MySQL and MariaDB, make the table with {@code COLLATE
 * utf8mb4_bin} or its like.
 *
 * <p>Rows that have expired more than an hour ago are deleted on the way: each 256 claims, 512 at
 * most. Tested with PostgreSQL and H2; another database has to know {@code FOR UPDATE SKIP LOCKED}.
 */
public final class JdbcIdempotencyStore implements IdempotencyStore {
  private static final Logger LOG = LoggerFactory.getLogger(JdbcIdempotencyStore.class);

  private static final int CLAIMS_PER_CLEANUP = 256;
  private static final int ROWS_PER_CLEANUP = 512;

  private final DataSource database;
  private final ClaimTable table;
  private final String place;
  private final AtomicInteger claims = new AtomicInteger();

  private JdbcIdempotencyStore(DataSource database, ClaimTable table, String place) {
    this.database = database;
    this.table = table;
    this.place = place;
  }

  /**
   * Starts to describe a store.
   *
   * @param database where connections come from, best a pool; it is not closed with the store
   */
  public static Builder builder(DataSource database) {
    return new Builder(Objects.requireNonNull(database, "database"));
  }

  @Override
  public Begun begin(Claim claim) throws SQLException {
    return autoCommitted(
        connection -> {
          Begun begun = table.begin(connection, claim);
          if (begun instanceof Begun.Granted
              && claims.incrementAndGet() % CLAIMS_PER_CLEANUP == 0) {
            cleanUp(connection);
          }
          return begun;
        });
  }

  @Override
  public boolean done(Claim claim) throws SQLException {
    return autoCommitted(connection -> table.done(connection, claim));
  }

  @Override
  public void release(Claim claim) throws SQLException {
    boolean unused = autoCommitted(connection -> table.release(connection, claim));
  }

  /**
   * Deletes rows that have expired more than an hour ago, for a service that wants to do it by
   * itself as well.
   *
   * @param most how many rows at most
   * @return how many rows
   * @throws SQLException when the database fails
   */
  public int deleteExpired(int most) throws SQLException {
    return autoCommitted(connection -> table.deleteExpired(connection, most));
  }

  /** Returns whether a transaction of the claim's has been committed; waits for the end of it. */
  boolean isDone(Claim claim) throws SQLException {
    return autoCommitted(connection -> table.isDone(connection, claim));
  }

  /** Says which table of which database. */
  @Override
  public String toString() {
    return place;
  }

  DataSource database() {
    return database;
  }

  ClaimTable table() {
    return table;
  }

  /** Two processes that delete the same rows may be in each other's way; the next time will do. */
  private void cleanUp(Connection connection) {
    try {
      table.deleteExpired(connection, ROWS_PER_CLEANUP);
    } catch (SQLException failure) {
      LOG.warn(
          "Expired rows could not be deleted, and are left for the next time: {}",
          failure.toString());
    }
  }

  private interface Work<T> {
    T with(Connection connection) throws SQLException;
  }

  private <T> T autoCommitted(Work<T> work) throws SQLException {
    try (Connection connection = database.getConnection()) {
      boolean before = connection.getAutoCommit();
      if (!before) {
        connection.setAutoCommit(true);
      }
      T result = work.with(connection);
      if (!before) {
        connection.setAutoCommit(false);
      }
      return result;
    }
  }

  /** Not thread-safe. */
  public static final class Builder {
    private static final Pattern TABLE = Pattern.compile("(\\w+\\.)?[A-Za-z_]\\w*");
    private static final String NOW =
        "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000 AS BIGINT)";

    private final DataSource database;
    private String table = "millrace_idempotency";
    private String now = NOW;
    private Duration timeout = Duration.ofSeconds(5);
    private boolean create;

    private Builder(DataSource database) {
      this.database = database;
    }

    /**
     * Uses a table of another name than {@code millrace_idempotency}.
     *
     * @param name letters, digits and underscores, with a schema and a dot in front if need be
     * @throws IllegalArgumentException when it is no such name
     */
    public Builder table(String name) {
      if (!TABLE.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "'"
                + name
                + "' is no table's name; write letters, digits and underscores, as in app.idempotency.");
      }
      this.table = name;
      return this;
    }

    /** Has the table and its index made where there are none, when the store is built. */
    public Builder createTable() {
      this.create = true;
      return this;
    }

    /**
     * Says how the database tells its time, for one that does not understand {@code EXTRACT(EPOCH
     * FROM CURRENT_TIMESTAMP)}.
     *
     * @param expression an SQL expression for the milliseconds since the epoch, a whole number
     */
    public Builder currentMillis(String expression) {
      this.now = expression;
      return this;
    }

    /**
     * Bounds each statement; by default 5 seconds. How long a connection is waited for is the
     * {@link DataSource}'s own setting, and should be as short.
     *
     * @param most whole seconds, from 1 s to 1 h
     * @throws IllegalArgumentException when it lies outside
     */
    public Builder statementTimeout(Duration most) {
      if (most.toSeconds() < 1 || most.toHours() > 1) {
        throw new IllegalArgumentException(
            "A statement's timeout is 1 s to 1 h, not " + most + ".");
      }
      this.timeout = most;
      return this;
    }

    /**
     * Makes the store.
     *
     * @throws SQLException when the database does not answer, the table can't be made, read, or
     *     does not look as it should, ids that differ in case are one to it, the database's time
     *     can't be told, or it does not know {@code FOR UPDATE SKIP LOCKED}
     */
    public JdbcIdempotencyStore build() throws SQLException {
      try (Connection connection = database.getConnection()) {
        connection.setAutoCommit(true);
        String product = connection.getMetaData().getDatabaseProductName();
        ClaimTable claims = new ClaimTable(table, now, product.equals("PostgreSQL"), timeout);
        if (create) {
          claims.create(connection);
        }
        claims.check(connection);
        claims.requireExactIds(connection);
        String place =
            "table '%s' of the %s database '%s'".formatted(table, product, connection.getCatalog());
        return new JdbcIdempotencyStore(database, claims, place);
      }
    }
  }
}
