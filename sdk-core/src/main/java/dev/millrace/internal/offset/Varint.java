package dev.millrace.internal.offset;

import java.nio.ByteBuffer;

/** Numbers from 0 in as many bytes as they need, seven bits in each, the lowest first (LEB128). */
final class Varint {
  private Varint() {}

  static int size(long value) {
    return Math.max(1, (70 - Long.numberOfLeadingZeros(value)) / 7);
  }

  static void write(long value, ByteBuffer to) {
    long rest = value;
    while (rest > 0x7f) {
      to.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    to.put((byte) rest);
  }

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException for more than 63 bits
   */
  static long read(ByteBuffer from) {
    long value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      byte next = from.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("More than 63 bits");
  }
}
