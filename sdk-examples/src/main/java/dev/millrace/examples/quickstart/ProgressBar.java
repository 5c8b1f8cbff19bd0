package dev.millrace.examples.quickstart;

/** Shows how far the work is: as a bar on a terminal, elsewhere as a few lines. */
final class ProgressBar {
  private static final int WIDTH = 40;

  @SuppressWarnings("SystemConsoleNull") // the pom starts newer JVMs with the old answer
  private final boolean terminal = System.console() != null;

  private final int total;
  private int quartersShown;

  ProgressBar(int total) {
    this.total = total;
  }

  void show(int done) {
    if (terminal) {
      int filled = (int) ((long) WIDTH * done / total);
      System.out.printf(
          "\r[%s%s] %d of %d handled", "#".repeat(filled), " ".repeat(WIDTH - filled), done, total);
      System.out.flush();
      return;
    }
    int quarters = (int) (4L * done / total);
    if (quarters > quartersShown) {
      quartersShown = quarters;
      System.out.printf("%d of %d handled%n", done, total);
    }
  }

  void end() {
    if (terminal) {
      System.out.println();
    }
  }
}
