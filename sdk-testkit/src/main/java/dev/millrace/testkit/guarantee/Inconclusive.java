package dev.millrace.testkit.guarantee;

/** The evidence is not enough to say whether a guarantee holds. */
final class Inconclusive extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Inconclusive(String missing) {
    super(missing, null, false, false);
  }
}
