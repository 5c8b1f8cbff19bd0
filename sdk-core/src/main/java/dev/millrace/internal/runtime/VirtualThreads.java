package dev.millrace.internal.runtime;

import java.util.concurrent.ThreadFactory;

/**
 * Virtual threads where the JVM has them. This code is compiled for Java 17, so they are found by
 * name; what is called is public API of Java 21 (JEP 444).
 */
public final class VirtualThreads {
  private static final int FIRST_JAVA = 21;

  private VirtualThreads() {}

  public static boolean supported() {
    return Runtime.version().feature() >= FIRST_JAVA;
  }

  /**
   * Returns a factory of virtual threads, named with the prefix and a number from 1.
   *
   * @throws IllegalStateException when this JVM has none
   */
  static ThreadFactory named(String prefix) {
    try {
      Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
      Class<?> type = Class.forName("java.lang.Thread$Builder");
      Object named = type.getMethod("name", String.class, long.class).invoke(builder, prefix, 1L);
      return (ThreadFactory) type.getMethod("factory").invoke(named);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("This JVM has no virtual threads", e);
    }
  }
}
