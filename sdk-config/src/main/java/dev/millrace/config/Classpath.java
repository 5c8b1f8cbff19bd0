package dev.millrace.config;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Classes by their names, by the loaders that the Kafka clients ask; none of their code runs. */
final class Classpath {
  /** What to do about a name that is none. */
  static final String HINT = "write its full name, with $ before a nested class, and add its jar";

  private Classpath() {}

  static Optional<Class<?>> find(String className) {
    return find(Thread.currentThread().getContextClassLoader(), className)
        .or(() -> find(Classpath.class.getClassLoader(), className));
  }

  private static Optional<Class<?>> find(@Nullable ClassLoader loader, String className) {
    try {
      return Optional.of(Class.forName(className, false, loader));
    } catch (ClassNotFoundException | LinkageError e) {
      return Optional.empty();
    }
  }
}
