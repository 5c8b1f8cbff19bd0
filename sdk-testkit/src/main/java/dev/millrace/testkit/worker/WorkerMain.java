package dev.millrace.testkit.worker;

import dev.millrace.testkit.internal.ParentWatch;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.time.Duration;

/** Runs one life of a worker; the only argument is the directory of its files. */
final class WorkerMain {
  static final int STATUS_OF_FAILED = 3;

  /** What an orderly stop may take at most; a parent that waits less kills before. */
  static final Duration LONGEST_STOP = Duration.ofMinutes(2);

  private static final int STATUS_OF_ORPHAN = 4;

  private final LifeFiles files;

  private WorkerMain(LifeFiles files) {
    this.files = files;
  }

  public static void main(String[] arguments) throws IOException {
    LifeFiles files = new LifeFiles(Path.of(arguments[0]));
    LifeDefinition definition = LifeDefinition.read(files.definition());
    new WorkerMain(files).run(definition, new WorkerContext(definition, files));
  }

  private void run(LifeDefinition definition, WorkerContext context) {
    Thread main = Thread.currentThread();
    ParentWatch.start(() -> stop(context, main), LONGEST_STOP);
    try {
      instance(definition.workerClass()).run(context);
    } catch (Throwable e) {
      fail(e);
    }
    files.markEnd(WorkerExit.of(WorkerExit.State.ENDED));
    System.exit(0);
  }

  private void stop(WorkerContext context, Thread main) {
    if (!files.isStopMarked()) {
      // The parent is dead: nobody waits for an order, and nobody would end what hangs.
      Runtime.getRuntime().halt(STATUS_OF_ORPHAN);
    }
    try {
      context.requestStop();
      // Who returned from here would end the JVM; that is up to the worker, which gets its time.
      main.join();
    } catch (Throwable e) {
      fail(e);
    }
  }

  private void fail(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text, true));
    System.err.print(text);
    files.markEnd(new WorkerExit(WorkerExit.State.FAILED, text.toString().strip()));
    System.exit(STATUS_OF_FAILED);
  }

  private static Worker instance(String name) throws Throwable {
    Constructor<?> constructor = Class.forName(name).getDeclaredConstructor();
    constructor.setAccessible(true);
    try {
      return (Worker) constructor.newInstance();
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
