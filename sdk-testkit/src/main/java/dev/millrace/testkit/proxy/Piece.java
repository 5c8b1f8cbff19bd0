package dev.millrace.testkit.proxy;

/** Bytes of a stream as they came, of one frame at most. Nobody changes them. */
final class Piece {
  private final Kind kind;
  private final byte[] bytes;
  private final long arrivedAt = System.nanoTime();

  /** What is known of the bytes. */
  enum Kind {
    /** The beginning of a frame, with its whole header. */
    FRAME_START,
    /** More of the frame that has begun, or a frame cut off before its header was complete. */
    FRAME_REST,
    /** Of a connection that can't be read: encrypted, or not Kafka's protocol. */
    OPAQUE
  }

  Piece(Kind kind, byte[] bytes) {
    this.kind = kind;
    this.bytes = bytes;
  }

  Kind kind() {
    return kind;
  }

  byte[] bytes() {
    return bytes;
  }

  int size() {
    return bytes.length;
  }

  /** By {@link System#nanoTime}. */
  long arrivedAt() {
    return arrivedAt;
  }
}
