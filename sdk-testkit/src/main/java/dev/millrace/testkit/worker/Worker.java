package dev.millrace.testkit.worker;

/**
 * What a {@link WorkerProcess} runs in its own JVM: a consumer or producer under test, most often.
 *
 * <p>The class is loaded there by its name, so it is a top-level or a static nested class with a
 * constructor without parameters. It shares no memory with the test; what it needs comes as
 * arguments, what it saw goes into its history.
 */
@FunctionalInterface
public interface Worker {
  /**
   * Works until it is done or {@link WorkerContext#stopRequested()}. When it returns, the JVM exits
   * in order, whatever threads still run; when it throws, the JVM exits as failed, and the test
   * gets the stack trace.
   */
  void run(WorkerContext context) throws Exception;
}
