package dev.millrace.testkit.fault;

import java.util.function.LongSupplier;

/** A load beside a run, and where it was when the run began. For one thread. */
final class Load {
  private final String name;
  private final LongSupplier passed;
  private long before;

  Load(String name, LongSupplier passed) {
    this.name = name;
    this.passed = passed;
  }

  void mark() {
    before = passed.getAsLong();
  }

  long sinceMark() {
    return passed.getAsLong() - before;
  }

  String name() {
    return name;
  }
}
