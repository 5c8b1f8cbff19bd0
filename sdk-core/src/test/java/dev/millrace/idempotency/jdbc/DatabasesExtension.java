package dev.millrace.idempotency.jdbc;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Hands out {@link Databases} of a test's or a class's own, in one PostgreSQL for a run, whose
 * start takes seconds. JUnit's stores keep them and close them in time.
 */
final class DatabasesExtension implements ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(DatabasesExtension.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Databases.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    EmbeddedPostgres server =
        context
            .getRoot()
            .getStore(NAMESPACE)
            .computeIfAbsent(EmbeddedPostgres.class, key -> start(), EmbeddedPostgres.class);
    return context
        .getStore(NAMESPACE)
        .computeIfAbsent(Databases.class, key -> databases(server), Databases.class);
  }

  private static EmbeddedPostgres start() {
    try {
      return EmbeddedPostgres.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Databases databases(EmbeddedPostgres server) {
    try {
      return new Databases(server);
    } catch (SQLException e) {
      throw new IllegalStateException("PostgreSQL makes no database", e);
    }
  }
}
