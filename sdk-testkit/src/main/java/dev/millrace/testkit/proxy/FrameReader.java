package dev.millrace.testkit.proxy;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream into pieces that don't cross a frame's bounds. A large frame comes in several, so
 * that memory stays bounded. Leaves out and adds nothing.
 *
 * <p>Not thread-safe: the reading thread's.
 */
final class FrameReader {
  private static final int MAX_PIECE = 64 * 1024;
  private static final int LENGTH = 4;

  /**
   * Above what brokers take and send. The first byte of TLS, 0x16, read as the first of a frame's
   * length, makes more.
   */
  private static final int MAX_FRAME = 256 * 1024 * 1024;

  private final InputStream in;
  private final int headSize;
  private final AtomicBoolean opaque;

  private int left;

  /**
   * Makes one.
   *
   * @param headSize the bytes a frame has at least, its length included
   * @param opaque whether the connection can't be read; set here when that turns out, for both
   *     directions: a broker answers only what it was sent
   */
  FrameReader(InputStream in, int headSize, AtomicBoolean opaque) {
    this.in = new BufferedInputStream(in, MAX_PIECE);
    this.headSize = headSize;
    this.opaque = opaque;
  }

  /** Waits for more and returns it; null at the end of the stream. */
  @Nullable Piece next() throws IOException {
    if (opaque.get()) {
      return whatThereIs();
    }
    return left > 0 ? rest() : start();
  }

  private @Nullable Piece start() throws IOException {
    byte[] prefix = in.readNBytes(LENGTH);
    if (prefix.length < LENGTH) {
      return ofRest(prefix);
    }
    int length = ByteBuffer.wrap(prefix).getInt();
    if (opaque.get() || length < headSize - LENGTH || length > MAX_FRAME) {
      opaque.set(true);
      return new Piece(Piece.Kind.OPAQUE, prefix);
    }
    byte[] bytes = Arrays.copyOf(prefix, (int) Math.min(MAX_PIECE, LENGTH + (long) length));
    int read = in.readNBytes(bytes, LENGTH, bytes.length - LENGTH);
    left = length - read;
    // Cut off, it may miss its header; the broker can't take it for a request either.
    return read == bytes.length - LENGTH
        ? new Piece(Piece.Kind.FRAME_START, bytes)
        : ofRest(Arrays.copyOf(bytes, LENGTH + read));
  }

  private @Nullable Piece rest() throws IOException {
    byte[] bytes = in.readNBytes(Math.min(left, MAX_PIECE));
    left -= bytes.length;
    return ofRest(bytes);
  }

  private static @Nullable Piece ofRest(byte[] bytes) {
    return bytes.length == 0 ? null : new Piece(Piece.Kind.FRAME_REST, bytes);
  }

  private @Nullable Piece whatThereIs() throws IOException {
    byte[] bytes = new byte[MAX_PIECE];
    int read = in.read(bytes);
    return read < 0 ? null : new Piece(Piece.Kind.OPAQUE, Arrays.copyOf(bytes, read));
  }
}
