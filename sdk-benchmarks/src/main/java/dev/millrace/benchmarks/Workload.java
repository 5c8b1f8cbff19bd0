package dev.millrace.benchmarks;

import java.util.List;

/**
 * What is done in one measurement; {@code workloads.yaml} has those there are.
 *
 * @param scenario what is measured
 * @param records how many, also the warm-up's
 * @param plainRecords how many for contenders of one thread; 0 for as many as the others
 * @param warmUpPercent the share that comes before what is measured: it waits for the group to
 *     form, and for the JIT compiler
 * @param valueBytes the size of a value
 * @param keys how many there are; as many as records, or more, make each record's its own
 * @param permits how many records Millrace handles at the same time
 * @param capacity Millrace's {@code channel-capacity}
 * @param inFlight how many must be in flight when the process is killed; 0 for any number
 * @param threads Millrace's {@code handler-threads}, or {@code none} for asynchronous handlers
 * @param commitMillis how often offsets are committed
 * @param fetchBytes the client's {@code max.partition.fetch.bytes}
 * @param json whether the handler decodes the value to a class
 * @param millis how long the handler sleeps
 * @param random whether a handler sleeps for any time up to twice that instead
 * @param slowPercent the share of records for which it sleeps longer
 * @param slowMillis how long for these
 * @param perSecond how many records are sent per second in {@link Scenario#LATENCY}
 * @param killAfterMillis how long after the first record the process is killed in {@link
 *     Scenario#KILL}
 * @param restingPercent the share of keys whose first record fails once in {@link
 *     Scenario#BACKOFF}, at a contender that has records fail
 * @param backoffMillis how long these keys then rest
 * @param stuck whether the handler does not return from the first record of each partition
 * @param contenders who runs it; the first is what the others are related to
 */
record Workload(
    String name,
    Scenario scenario,
    int records,
    int plainRecords,
    int warmUpPercent,
    int valueBytes,
    int keys,
    int partitions,
    int permits,
    int capacity,
    int inFlight,
    String threads,
    int commitMillis,
    int fetchBytes,
    boolean json,
    int millis,
    boolean random,
    int slowPercent,
    int slowMillis,
    int perSecond,
    int killAfterMillis,
    int restingPercent,
    int backoffMillis,
    boolean stuck,
    List<String> contenders) {

  /** What is measured, and how. */
  enum Scenario {
    /** Records per second, and what each costs. */
    THROUGHPUT,
    /** As throughput, of the records alone whose keys do not rest. */
    BACKOFF,
    /** The time from when a record was to be sent to its handler's end. */
    LATENCY,
    /** What is handled again after SIGKILL. */
    KILL,
    /** The heap after a full collection, at several points. */
    HEAP,
    /** As throughput, of exactly-once copies: up to the commit of the last record. */
    COPY,
    /** What it costs to get a handle on a producer that others use already. */
    HANDLES
  }

  Workload {
    contenders = List.copyOf(contenders);
  }

  int recordsOf(String contender) {
    boolean oneThread = contender.startsWith("plain") || contender.equals("streams");
    return plainRecords > 0 && oneThread ? plainRecords : records;
  }

  boolean isVirtual() {
    return threads.equals("virtual");
  }

  boolean isAsynchronous() {
    return threads.equals("none");
  }

  /** The key of a record: drawn by its number, so that all processes know it. */
  int keyOf(int sequence) {
    return keys >= records ? sequence : draw(sequence, keys);
  }

  boolean isSlow(int sequence) {
    return slowPercent > 0 && draw(~sequence, 100) < slowPercent;
  }

  /** Returns whether the record's key is one of those that rest. */
  boolean rests(int sequence) {
    return restingPercent > 0 && draw(~keyOf(sequence), 100) < restingPercent;
  }

  /** Returns how long the record's handler sleeps, in milliseconds. */
  int millisOf(int sequence) {
    if (isSlow(sequence)) {
      return slowMillis;
    }
    return random ? draw(~sequence, 2 * millis + 1) : millis;
  }

  /** Returns how many records per second the handlers allow; infinite when they do not wait. */
  double limit(int ofRecords) {
    if (millis == 0) {
      return Double.POSITIVE_INFINITY;
    }
    long total = 0;
    for (int sequence = 0; sequence < ofRecords; sequence++) {
      total += millisOf(sequence);
    }
    return permits * 1_000.0 * ofRecords / total;
  }

  /** The finalizer of MurmurHash3, so that neighbours have nothing in common. */
  private static int draw(int number, int bound) {
    int hash = number * 0x9E3779B9;
    hash = (hash ^ (hash >>> 16)) * 0x85EBCA6B;
    hash = (hash ^ (hash >>> 13)) * 0xC2B2AE35;
    return Integer.remainderUnsigned(hash ^ (hash >>> 16), bound);
  }

  @Override
  public String toString() {
    return "%s: %,d records of %,d bytes, %,d keys, %d partitions, %d permits%s%s, commits each %d ms%s%s%s%s"
        .formatted(
            name,
            records,
            valueBytes,
            keys,
            partitions,
            permits,
            capacity > 0 ? " of %,d in flight".formatted(capacity) : "",
            isVirtual() ? " on virtual threads" : isAsynchronous() ? " without threads" : "",
            commitMillis,
            json ? ", JSON" : "",
            millis > 0
                ? ", handler of %s%d ms"
                    .formatted(random ? "0 to " : "", random ? 2 * millis : millis)
                : "",
            slowPercent > 0 ? " (%d %%: %d ms)".formatted(slowPercent, slowMillis) : "",
            restingPercent > 0
                ? ", %d %% of the keys rest for %,d ms".formatted(restingPercent, backoffMillis)
                : "");
  }
}
