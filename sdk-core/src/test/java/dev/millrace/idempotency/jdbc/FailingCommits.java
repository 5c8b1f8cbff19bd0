package dev.millrace.idempotency.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** A database whose next commit fails, before or after it has been made. */
final class FailingCommits {
  enum Next {
    WELL,
    NOT_MADE,
    MADE_BUT_NOT_CONFIRMED
  }

  private final DataSource database;
  private Next next = Next.WELL;

  FailingCommits(DataSource database) {
    this.database = database;
  }

  void next(Next commit) {
    next = commit;
  }

  DataSource database() {
    return proxy(
        DataSource.class,
        (method, arguments) -> {
          Object result = call(database, method, arguments);
          return result instanceof Connection connection ? around(connection) : result;
        });
  }

  private Connection around(Connection connection) {
    return proxy(
        Connection.class,
        (method, arguments) -> {
          if (!method.getName().equals("commit") || next == Next.WELL) {
            return call(connection, method, arguments);
          }
          if (next == Next.MADE_BUT_NOT_CONFIRMED) {
            connection.commit();
          }
          next = Next.WELL;
          throw new SQLException("The connection was lost.", "08006");
        });
  }

  private interface Call {
    Object of(Method method, Object[] arguments) throws Throwable;
  }

  private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> call.of(method, arguments)));
  }
}
