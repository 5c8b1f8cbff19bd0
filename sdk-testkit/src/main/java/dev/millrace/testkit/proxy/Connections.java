package dev.millrace.testkit.proxy;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The connections there are now.
 *
 * <p>Thread-safe.
 */
final class Connections {
  private final Set<Connection> open = new LinkedHashSet<>();
  private boolean closed;

  /** Returns false, and takes nothing, when the proxy is closed. */
  synchronized boolean add(Connection connection) {
    return !closed && open.add(connection);
  }

  synchronized void ended(Connection connection) {
    open.remove(connection);
  }

  synchronized List<Connection> now() {
    return List.copyOf(open);
  }

  /** Ends all, and takes no more. */
  void close() {
    synchronized (this) {
      closed = true;
    }
    now().forEach(Connection::close);
  }
}
