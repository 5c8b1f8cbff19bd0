package dev.millrace.benchmarks;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.IntStream;

/**
 * Which records were handled in which life, in a mapped file that outlives SIGKILL. Any thread may
 * mark; no two mark the same record at the same time while a key's records are handled in order.
 */
final class Marks {
  private final MappedByteBuffer livesByRecord;
  private final int records;

  Marks(Path file, int records) throws IOException {
    this.records = records;
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      livesByRecord = channel.map(FileChannel.MapMode.READ_WRITE, 0, records);
    }
  }

  void mark(int sequence, int life) {
    livesByRecord.put(sequence, (byte) (livesByRecord.get(sequence) | life));
  }

  /**
   * Counts the records handled in all of these lives, and maybe in others.
   *
   * @param lives the sum of 1 and 2
   */
  long inAll(int lives) {
    return IntStream.range(0, records)
        .filter(sequence -> (livesByRecord.get(sequence) & lives) == lives)
        .count();
  }

  /** Counts the records that no life has handled. */
  long inNone() {
    return IntStream.range(0, records).filter(sequence -> livesByRecord.get(sequence) == 0).count();
  }
}
