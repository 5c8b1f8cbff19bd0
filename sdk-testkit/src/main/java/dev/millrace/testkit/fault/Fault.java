package dev.millrace.testkit.fault;

import java.util.function.LongSupplier;

/**
 * A thing that breaks, how to heal it, and what shows that it did break something.
 *
 * <p>All of it is called by the thread that runs the {@link FaultRun}.
 *
 * @param name what happens to what, such as {@code SIGKILL of worker 'consumer-1'}
 * @param begin breaks it, and returns when it is broken
 * @param heal makes it whole, and returns when it is; called whenever {@code begin} was called,
 *     also when that failed half way, and once more if it fails or is interrupted itself
 * @param witness how much of an effect there is to see: a number that grows when there is one. It
 *     is asked before the begin, before the heal and after the heal; the fault is witnessed if one
 *     of the later numbers is above the first. So both what counts (requests dropped) and what
 *     stands (1 while the process is gone) will do
 */
public record Fault(String name, Action begin, Action heal, LongSupplier witness) {
  /** An act that may fail. */
  @FunctionalInterface
  public interface Action {
    /** Acts. */
    void run() throws Exception;
  }
}
