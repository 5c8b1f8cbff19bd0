package dev.millrace.internal.offset;

import java.util.Arrays;

/** Offsets of one partition, as ranges in rising order. Immutable. */
public final class OffsetRanges {
  /** No offset at all. */
  public static final OffsetRanges NONE = new OffsetRanges(new long[0]);

  /** From, to (exclusive), from, to …; each strictly above the one before. */
  private final long[] bounds;

  private OffsetRanges(long[] bounds) {
    this.bounds = bounds;
  }

  public boolean contains(long offset) {
    int at = Arrays.binarySearch(bounds, offset);
    return at >= 0 ? isFrom(at) : !isFrom(-at - 1);
  }

  public boolean isEmpty() {
    return bounds.length == 0;
  }

  int count() {
    return bounds.length / 2;
  }

  long from(int range) {
    return bounds[2 * range];
  }

  long to(int range) {
    return bounds[2 * range + 1];
  }

  private static boolean isFrom(int at) {
    return at % 2 == 0;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < count(); i++) {
      text.append(i == 0 ? "" : ", ").append(from(i)).append("..").append(to(i) - 1);
    }
    return text.append(']').toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OffsetRanges ranges && Arrays.equals(bounds, ranges.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  /** Collects ranges, which must rise; those that touch become one. */
  static final class Builder {
    private long[] bounds = new long[16];
    private int size;

    Builder add(long from, long to) {
      if (to <= from) {
        throw new IllegalArgumentException("No offset from " + from + " to " + to);
      }
      if (size > 0 && bounds[size - 1] >= from) {
        if (bounds[size - 1] > from) {
          throw new IllegalArgumentException(from + " lies before " + bounds[size - 1]);
        }
        bounds[size - 1] = to;
        return this;
      }
      if (size == bounds.length) {
        bounds = Arrays.copyOf(bounds, 2 * size);
      }
      bounds[size++] = from;
      bounds[size++] = to;
      return this;
    }

    OffsetRanges build() {
      return size == 0 ? NONE : new OffsetRanges(Arrays.copyOf(bounds, size));
    }
  }
}
