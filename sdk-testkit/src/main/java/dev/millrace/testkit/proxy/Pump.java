package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One direction of one connection. A thread reads what comes into a queue; another takes it out in
 * order and lets it through all faults to the other side. So what is held or late does not keep the
 * reader from seeing that the sender has left.
 */
final class Pump {
  private final Direction direction;
  private final Connection connection;
  private final Link link;
  private final FrameReader source;
  private final Checkpoint checkpoint;
  private final Sink sink;
  private final Spells spells;
  private final PieceQueue queue = new PieceQueue();

  /** Something was swallowed, so the stream can never go on. Set by the delivering thread. */
  private volatile boolean gap;

  // The delivering thread's.
  private boolean silent;
  private long pieces;

  Pump(
      Direction direction,
      Connection connection,
      Link link,
      FrameReader source,
      Checkpoint checkpoint,
      Sink sink,
      Spells spells) {
    this.direction = direction;
    this.connection = connection;
    this.link = link;
    this.source = source;
    this.checkpoint = checkpoint;
    this.sink = sink;
    this.spells = spells;
  }

  /** The reading thread. */
  void read() {
    try {
      for (Piece piece = source.next(); piece != null; piece = source.next()) {
        queue.put(piece);
      }
    } catch (IOException | InterruptedException e) {
      // A reset is an end like any other, and an interruption means that the connection is closed.
    } finally {
      connection.sourceEnded(direction);
      queue.end();
    }
  }

  /** The delivering thread: from here on, downward, is the way of a piece. */
  void deliver() {
    try {
      Piece piece = queue.take();
      while (piece != null && !connection.ended()) {
        deliver(piece);
        piece = queue.take();
      }
      if (!connection.ended()) {
        deliverEnd();
      }
    } catch (IOException | InterruptedException e) {
      // The receiver is gone or the connection closed; the other direction ends by the same cause.
    } catch (RuntimeException e) {
      connection.cut("the proxy itself failed: " + e);
      throw e;
    }
  }

  private void deliver(Piece piece) throws IOException, InterruptedException {
    if (silent) {
      spells.count(What.SILENCED, LinkConditions.HEALTHY, piece.size());
      return;
    }
    awaitLatency(piece);
    Passage passage = checkpoint.pass(piece);
    if (!passage.open()) {
      silent = true;
      return;
    }
    if (write(piece.bytes())) {
      passage.delivered().run();
    }
  }

  private void awaitLatency(Piece piece) throws InterruptedException {
    LinkConditions now = link.now();
    Latency latency = now.latency();
    if (latency == null) {
      return;
    }
    long due = piece.arrivedAt() + latency.of(connection.number(direction), pieces++);
    if (due - System.nanoTime() > 0) {
      link.awaitArrival(due, latency);
      spells.count(What.LATE, now, piece.size());
    }
  }

  /** Returns whether all of it was delivered. */
  private boolean write(byte[] bytes) throws IOException, InterruptedException {
    int written = 0;
    while (written < bytes.length) {
      LinkConditions now = link.now();
      if (gap || !now.delivers(direction)) {
        swallow(now, bytes.length - written);
        return false;
      }
      int slice = throttled(now, now.throttle(direction), bytes.length - written);
      sink.write(bytes, written, slice);
      written += slice;
    }
    return true;
  }

  private int throttled(LinkConditions now, @Nullable Throttle throttle, int bytes)
      throws InterruptedException {
    if (throttle == null) {
      return bytes;
    }
    int slice = throttle.slice(bytes);
    throttle.carry(slice);
    spells.count(What.THROTTLED, now, slice);
    return slice;
  }

  private void deliverEnd() throws IOException {
    LinkConditions now = link.now();
    if (gap || !now.delivers(direction)) {
      swallow(now, 0);
    } else {
      sink.end();
    }
  }

  private void swallow(LinkConditions now, int bytes) {
    spells.count(What.BLACKHOLED, now, bytes);
    gap = true;
    cutIfGapShows();
  }

  /**
   * A line that delivers again can't give back what it swallowed. Called after each change of the
   * line and after each gap, so that whichever comes second sees the other.
   */
  void cutIfGapShows() {
    if (gap && link.now().delivers(direction)) {
      connection.cut("the line is whole again, but a part of the stream is lost");
    }
  }
}
