package dev.millrace.testkit.worker;

/** Where a life is to end: when the point is reached for the nth time, counted from 1. */
record KillAt(String point, int nth) {
  KillAt {
    if (point.isBlank()) {
      throw new IllegalArgumentException("A kill point needs a name");
    }
    if (nth < 1) {
      throw new IllegalArgumentException(
          "Kill point '%s' is reached for the %dth time never; count from 1".formatted(point, nth));
    }
  }
}
