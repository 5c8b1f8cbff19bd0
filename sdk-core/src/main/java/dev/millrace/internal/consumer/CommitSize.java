package dev.millrace.internal.consumer;

import dev.millrace.internal.offset.CompletedAhead;

/** How much a commit may say beside its offsets. */
final class CommitSize {
  /** The coordinator writes a commit as one batch, and refuses all of it beyond 1 MiB. */
  private static final int MAX_CHARS_OF_ALL = 512 * 1024;

  private CommitSize() {}

  /** Returns the most characters of metadata for each of so many partitions. */
  static int ofMany(int partitions) {
    return Math.min(CompletedAhead.MAX_CHARS, MAX_CHARS_OF_ALL / Math.max(1, partitions));
  }
}
