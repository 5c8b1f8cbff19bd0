package dev.millrace.idempotency.jdbc;

import dev.millrace.consumer.RecordContext;
import java.sql.Connection;

/**
 * A handler whose effect is in a database.
 *
 * @param <V> the value's type
 */
@FunctionalInterface
public interface JdbcHandler<V> {

  /**
   * Handles one record. When it returns, what it has done with the connection is committed together
   * with the record's id; when it throws, all of it is rolled back, and the record is treated as
   * one whose handler has failed.
   *
   * @param connection in a transaction, not to be kept. Its end is not the handler's: {@code
   *     commit}, {@code rollback}, {@code setAutoCommit} and {@code abort} are refused, {@code
   *     close} does nothing; savepoints are the handler's own
   * @throws Exception whatever it likes
   */
  void handle(V value, RecordContext context, Connection connection) throws Exception;
}
