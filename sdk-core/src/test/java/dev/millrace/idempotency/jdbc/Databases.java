package dev.millrace.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import javax.sql.DataSource;

/** Real databases, new and empty, each with a pool of connections. */
final class Databases implements AutoCloseable {
  private final String postgresUrl;
  private final HikariDataSource postgres;
  private final HikariDataSource h2;

  /**
   * @param server stays the caller's to close
   */
  Databases(EmbeddedPostgres server) throws SQLException {
    String name = "test_" + UUID.randomUUID().toString().replace('-', '_');
    execute(server.getPostgresDatabase(), "CREATE DATABASE " + name);
    postgresUrl = server.getJdbcUrl("postgres", name);
    postgres = pool(postgresUrl);
    h2 = pool("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=10000");
  }

  static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setMaximumPoolSize(12);
    return new HikariDataSource(config);
  }

  /** Returns where other processes find it. */
  String postgresUrl() {
    return postgresUrl;
  }

  DataSource postgres() {
    return postgres;
  }

  DataSource h2() {
    return h2;
  }

  static long number(DataSource database, String query) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  static void execute(DataSource database, String sql) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Override
  public void close() {
    h2.close();
    postgres.close();
  }
}
