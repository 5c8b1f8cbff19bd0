package dev.millrace.testkit.proxy;

import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * What is on its way in one direction of one connection. It holds at most {@link #BOUND} bytes and
 * one piece; a full queue lets the reader wait, which in the end makes the sender wait.
 *
 * <p>Thread-safe: one thread puts, one takes.
 */
final class PieceQueue {
  /** 80 MB a second at a latency of 100 ms. */
  static final int BOUND = 8 * 1024 * 1024;

  private final Queue<Piece> pieces = new ArrayDeque<>();
  private long bytes;
  private boolean ended;

  /** Waits for room. */
  synchronized void put(Piece piece) throws InterruptedException {
    while (bytes > BOUND) {
      wait();
    }
    pieces.add(piece);
    bytes += piece.size();
    notifyAll();
  }

  /** Nothing comes after what is in the queue. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Waits for the next piece; null when it has ended. */
  synchronized @Nullable Piece take() throws InterruptedException {
    while (pieces.isEmpty() && !ended) {
      wait();
    }
    Piece piece = pieces.poll();
    if (piece != null) {
      bytes -= piece.size();
      notifyAll();
    }
    return piece;
  }
}
