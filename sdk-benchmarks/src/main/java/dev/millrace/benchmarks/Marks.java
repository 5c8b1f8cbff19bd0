package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.IntStream;

/**
 * Which records were begun and handled in which life and when, in a mapped file that outlives
 * SIGKILL. Any thread may mark; no two mark the same record at the same time while a key's records
 * are handled in order.
 */
final class Marks {
  /** In the first life its handler was called. */
  static final int BEGUN = 1;

  /** In the first life it was handled. */
  static final int HANDLED = 2;

  /** In the second life it was handled. */
  static final int HANDLED_LATER = 4;

  private final ByteBuffer marks;

  /** By record when it was handled in the first life; last how many were in flight. */
  private final LongBuffer longs;

  private final int records;

  Marks(Path file, int records) throws IOException {
    this.records = records;
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long bytes = (records + 1L) * Long.BYTES;
      longs = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes).asLongBuffer();
      marks = channel.map(FileChannel.MapMode.READ_WRITE, bytes, records);
    }
  }

  void mark(int sequence, int mark) {
    marks.put(sequence, (byte) (marks.get(sequence) | mark));
  }

  void handled(int sequence, long nanos) {
    longs.put(sequence, nanos);
    mark(sequence, HANDLED);
  }

  void inFlight(long count) {
    longs.put(records, count);
  }

  /** Returns how many were in flight when that was last told; 0 if it never was. */
  long inFlight() {
    return longs.get(records);
  }

  /**
   * Counts records.
   *
   * @param wanted the marks they have
   * @param unwanted the marks they don't have
   */
  long count(int wanted, int unwanted) {
    return with(wanted).filter(sequence -> (marks.get(sequence) & unwanted) == 0).count();
  }

  /** Returns when the last one was handled in the first life, which is when it was killed. */
  long killedNanos() {
    return with(HANDLED).mapToLong(longs::get).max().orElse(0);
  }

  /** Counts what was handled in the first life from that moment on. */
  long handledSince(long nanos) {
    return with(HANDLED).filter(sequence -> longs.get(sequence) - nanos >= 0).count();
  }

  /** Returns when the first was handled of those that were handled again. */
  long oldestRepeatedNanos() {
    return with(HANDLED | HANDLED_LATER).mapToLong(longs::get).min().orElse(killedNanos());
  }

  private IntStream with(int wanted) {
    return IntStream.range(0, records).filter(sequence -> (marks.get(sequence) & wanted) == wanted);
  }
}
