package dev.millrace.internal.channel;

import dev.millrace.config.BatchDefinition;
import dev.millrace.config.KeylessRecords;
import dev.millrace.config.Ordering;
import dev.millrace.internal.time.EngineClock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The number that says which records share a lane, and so an order: a 64-bit hash of topic,
 * partition and, under {@code key}, the bytes of the ordering key. Two keys with the same hash
 * would only wait for each other. Confined to the poll thread, but for {@link #key}.
 */
public final class LaneTags {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long PRIME = 0x9E3779B97F4A7C15L;

  private final Ordering ordering;
  private final Function<ConsumerRecord<byte[], byte[]>, byte @Nullable []> orderingKey;
  private final KeylessRecords keyless;
  private final Spread spread;

  /** For records that are handled one by one: without an order, each has a lane of its own. */
  public LaneTags(
      Ordering ordering,
      Function<ConsumerRecord<byte[], byte[]>, byte @Nullable []> orderingKey,
      KeylessRecords keyless) {
    this(ordering, orderingKey, keyless, new Spread(1, 0, EngineClock.SYSTEM));
  }

  private LaneTags(
      Ordering ordering,
      Function<ConsumerRecord<byte[], byte[]>, byte @Nullable []> orderingKey,
      KeylessRecords keyless,
      Spread spread) {
    this.ordering = ordering;
    this.orderingKey = orderingKey;
    this.keyless = keyless;
    this.spread = spread;
  }

  /** For records handled in batches: without an order, those polled in a row share a lane. */
  public static LaneTags forBatches(
      Ordering ordering,
      Function<ConsumerRecord<byte[], byte[]>, byte @Nullable []> orderingKey,
      KeylessRecords keyless,
      BatchDefinition batch,
      EngineClock clock) {
    return new LaneTags(
        ordering,
        orderingKey,
        keyless,
        new Spread(batch.maxRecords(), batch.maxWait().toNanos(), clock));
  }

  /** Returns a partition's part of the tag; worth keeping, since it hashes the topic's name. */
  public static long seed(String topic, int partition) {
    return mix(topic.hashCode() * PRIME + partition);
  }

  /** Returns the record's tag. Throws what the ordering key throws. */
  public long of(long seed, ConsumerRecord<byte[], byte[]> record) {
    return switch (ordering) {
      case PARTITION -> seed;
      case UNORDERED -> withoutOrder();
      case KEY -> {
        byte[] key = orderingKey.apply(record);
        yield key == null ? withoutKey(seed) : hash(seed, key);
      }
    };
  }

  /**
   * Returns the same for a record that has an order by its key; null when it has none. Throws what
   * the ordering key throws. Any thread.
   */
  public @Nullable Long key(long seed, ConsumerRecord<byte[], byte[]> record) {
    byte[] key = orderingKey.apply(record);
    if (key == null) {
      return keyless == KeylessRecords.LANE ? seed : null;
    }
    return hash(seed, key);
  }

  /**
   * Returns a tag for those of a key's records that come from a retry topic, and have a lane of
   * their own.
   *
   * @param level which retry topic, from 1; 0 for the key's own topic, whose tag stays
   */
  public static long atLevel(long tag, int level) {
    return level == 0 ? tag : mix(tag + level);
  }

  /** Returns the tag of a record that need not wait for others. */
  public long withoutOrder() {
    return mix(spread.next());
  }

  /** The partition's own tag is no key's, not even an empty one's: each key's is mixed. */
  private long withoutKey(long seed) {
    return switch (keyless) {
      case SPREAD -> withoutOrder();
      case LANE -> seed;
    };
  }

  private static long hash(long seed, byte[] key) {
    long hash = seed ^ key.length * PRIME;
    int at = 0;
    for (; at + Long.BYTES <= key.length; at += Long.BYTES) {
      hash = mix(hash ^ (long) LONGS.get(key, at));
    }
    long rest = 0;
    for (; at < key.length; at++) {
      rest = rest << 8 | (key[at] & 0xFF);
    }
    return mix(hash ^ rest);
  }

  /** Spreads every input bit over all output bits (the finisher of SplitMix64). */
  private static long mix(long bits) {
    long mixed = (bits ^ bits >>> 30) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
    return mixed ^ mixed >>> 31;
  }
}
