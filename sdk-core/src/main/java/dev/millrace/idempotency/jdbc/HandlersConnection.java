package dev.millrace.idempotency.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A connection whose transaction is not its user's to end. */
final class HandlersConnection implements InvocationHandler {
  private static final Set<String> REFUSED = Set.of("commit", "setAutoCommit", "abort");

  private final Connection connection;

  private HandlersConnection(Connection connection) {
    this.connection = connection;
  }

  static Connection of(Connection connection) {
    return (Connection)
        Proxy.newProxyInstance(
            Connection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            new HandlersConnection(connection));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
      throws Throwable {
    String name = method.getName();
    // With a savepoint it is the handler's own.
    if (REFUSED.contains(name) || (name.equals("rollback") && arguments == null)) {
      throw new SQLException(
          "'"
              + name
              + "' is not the handler's: the transaction is committed when it returns, and rolled back when it throws.");
    }
    if (name.equals("close")) {
      return null;
    }
    try {
      return method.invoke(connection, arguments);
    } catch (InvocationTargetException failure) {
      throw failure.getCause();
    }
  }
}
