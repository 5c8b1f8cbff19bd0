package dev.millrace.config;

/** On what kind of threads a consumer's handlers run; one for each permit that is in use. */
public enum HandlerThreads {
  /** Threads of the operating system. The default; right for hundreds of permits. */
  PLATFORM,
  /**
   * Virtual threads (JEP 444), which Java 21 and newer have: for thousands of handlers that wait.
   * Before Java 24, a handler that waits inside {@code synchronized} keeps a carrier thread from
   * all others.
   */
  VIRTUAL
}
