package dev.millrace.testkit.worker;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A number in a mapped file: setting it costs as much as setting a field, other processes see it at
 * once, and it stays when this process is killed. Thread-safe.
 */
final class ProgressCell {
  private static final VarHandle VALUE =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final MappedByteBuffer buffer;

  /** Makes the file. */
  ProgressCell(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      buffer = channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES);
    }
  }

  void set(long value) {
    VALUE.setVolatile(buffer, 0, value);
  }
}
