package dev.millrace.idempotency.jdbc;

import dev.millrace.consumer.RecordContext;
import dev.millrace.consumer.RecordHandler;
import dev.millrace.errors.MessageTakenException;
import dev.millrace.idempotency.Claim;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Effects in a database that happen once for each message: they are committed in one transaction
 * with the message's id.
 *
 * <p>The transaction begins by marking the id as done, by which it holds the id's row until its
 * end: nobody can take the message meanwhile, however long the handler takes. When another has
 * taken it before, nothing is done, and the record is put back to find out what became of it; an
 * attempt fails, with words, when the consumer's own store says that nobody has taken it. When a
 * commit fails, its outcome is unknown; so the id is read, by another connection, which says it.
 *
 * <p>For handlers in workers and in an executor.
 */
public final class JdbcEffects {
  private static final Logger LOG = LoggerFactory.getLogger(JdbcEffects.class);

  private final JdbcIdempotencyStore store;

  private JdbcEffects(JdbcIdempotencyStore store) {
    this.store = store;
  }

  /**
   * Returns effects in a store's database.
   *
   * @param store the one that the factory of the consumer was given, or one of the same table
   */
  public static JdbcEffects in(JdbcIdempotencyStore store) {
    return new JdbcEffects(Objects.requireNonNull(store, "store"));
  }

  /**
   * Makes a handler for {@code subscribe}, of a consumer with {@code idempotency}. It throws {@link
   * IllegalStateException} for a record without an id.
   */
  public <V> RecordHandler<V> handler(JdbcHandler<? super V> handler) {
    Objects.requireNonNull(handler, "handler");
    return (value, context) -> {
      Claim claim =
          context
              .claim()
              .orElseThrow(
                  () ->
                      new IllegalStateException(
                          "The record "
                              + context
                              + " has no id to record its effect by; give its consumer 'idempotency', and 'missing-id: fail'."));
      try (Connection connection = store.database().getConnection()) {
        handle(claim, value, context, connection, handler);
      }
    };
  }

  private <V> void handle(
      Claim claim, V value, RecordContext context, Connection connection, JdbcHandler<V> handler)
      throws Exception {
    boolean before = connection.getAutoCommit();
    connection.setAutoCommit(false);
    try {
      if (!store.table().doneInTransaction(connection, claim)) {
        throw new MessageTakenException(
            "By %s, another one has taken the message '%s' of group '%s' from %s, whose lease of %s was over; a longer 'idempotency.lease' leaves it more time."
                .formatted(store, claim.id(), claim.scope(), context, claim.lease()),
            null);
      }
      handler.handle(value, context, HandlersConnection.of(connection));
    } catch (Throwable failure) {
      rollBack(connection, failure);
      throw failure;
    }
    commit(claim, connection);
    connection.setAutoCommit(before);
  }

  /** The handler's own failure is the one that counts; the connection's close ends the rest. */
  private static void rollBack(Connection connection, Throwable failure) {
    try {
      connection.rollback();
    } catch (SQLException | RuntimeException second) {
      failure.addSuppressed(second);
    }
  }

  private void commit(Claim claim, Connection connection) throws SQLException {
    try {
      connection.commit();
    } catch (SQLException | RuntimeException unknown) {
      rollBack(connection, unknown);
      if (!isCommitted(claim, unknown)) {
        throw unknown;
      }
      LOG.warn(
          "The commit of message '{}' was not confirmed, but its id is there: {}",
          claim.id(),
          unknown.toString());
    }
  }

  /** Where this fails too, the record is put back, and the store asked before it is handled. */
  private boolean isCommitted(Claim claim, Exception unknown) {
    try {
      return store.isDone(claim);
    } catch (SQLException | RuntimeException second) {
      unknown.addSuppressed(second);
      return false;
    }
  }
}
