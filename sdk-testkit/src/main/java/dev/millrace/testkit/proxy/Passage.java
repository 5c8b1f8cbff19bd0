package dev.millrace.testkit.proxy;

/**
 * What a checkpoint decided on a piece.
 *
 * @param open whether it goes on; if not, it and all after it in this direction are thrown away
 * @param delivered to be run when it has been delivered: only then the effect is there
 */
record Passage(boolean open, Runnable delivered) {
  static final Passage FREE = new Passage(true, () -> {});
  static final Passage CLOSED = new Passage(false, () -> {});

  static Passage witnessed(Runnable delivered) {
    return new Passage(true, delivered);
  }
}
