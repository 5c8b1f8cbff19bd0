package dev.millrace.config;

import java.time.Duration;

/** What holds where a file says nothing. */
final class Defaults {
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  static final DeliverySemantics DELIVERY_SEMANTICS = DeliverySemantics.AT_LEAST_ONCE;
  static final Format FORMAT = Format.AUTO;
  static final TuningProfile PROFILE = TuningProfile.BALANCED;

  static final int TRANSACTION_SLOTS = 4;

  /** Kafka's own. */
  static final Duration TRANSACTION_TIMEOUT = Duration.ofMinutes(1);

  /** So that one goes on while the other commits; each more costs a Kafka client. */
  static final int SLICES = 2;

  /** As Kafka Streams has it: so long a partition may stand still after its process was killed. */
  static final Duration SLICE_TIMEOUT = Duration.ofSeconds(10);

  static final Duration TRANSACTION_ACQUIRE_TIMEOUT = Duration.ofSeconds(10);

  static final ConsumerMode MODE = ConsumerMode.GROUP;
  static final GroupProtocol GROUP_PROTOCOL = GroupProtocol.CLASSIC;
  static final KeylessRecords KEYLESS_RECORDS = KeylessRecords.SPREAD;
  static final int CONCURRENCY = 16;
  static final int INSTANCES = 1;
  static final Duration IDLE_EVICTION = Duration.ofMinutes(10);

  /** By Kafka's {@code buffer.memory} alone. */
  static final InFlightDefinition IN_FLIGHT = new InFlightDefinition(0, 0, WhenFull.BLOCK);

  static final HandlerThreads HANDLER_THREADS = HandlerThreads.PLATFORM;
  static final long CHANNEL_BYTES = 64L << 20;
  static final int BATCH_MAX_RECORDS = 500;
  static final Duration BATCH_MAX_WAIT = Duration.ofMillis(100);

  /** These hold only where the key {@code idempotency} stands; without it there is none. */
  static final boolean IDEMPOTENCY_ENABLED = true;

  static final MessageIdKey MESSAGE_ID_KEY = MessageIdKey.HEADER;
  static final String MESSAGE_ID_HEADER = "message-id";
  static final MissingId MISSING_ID = MissingId.FAIL;
  static final Duration LEASE = Duration.ofMinutes(1);
  static final Duration RETENTION = Duration.ofDays(7);

  /** These hold only where the key {@code circuit-breaker} stands; without it there is none. */
  static final boolean CIRCUIT_BREAKER_ENABLED = true;

  static final int FAILURE_RATE = 50;
  static final int CIRCUIT_WINDOW = 100;
  static final Duration OPEN_FOR = Duration.ofSeconds(30);
  static final int PROBES = 5;

  /** These hold only where the key {@code rate-limit} stands; without it there is none. */
  static final boolean RATE_LIMIT_ENABLED = true;

  /** What is refused later: nobody but the user knows it. */
  static final int NO_RATE = 0;

  static final Duration RATE_PER = Duration.ofSeconds(1);

  static final Duration COMMIT_INTERVAL = Duration.ofMillis(100);

  /** By interval alone. */
  static final int COMMIT_RECORDS = 0;

  static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);
  static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

  static final Duration IDLE_AFTER = Duration.ofMinutes(1);

  /** No limit but the number of attempts. */
  static final Duration RETRY_MAX_DURATION = Duration.ZERO;

  static final Duration BACKOFF_INITIAL = Duration.ofMillis(100);
  static final double BACKOFF_MULTIPLIER = 2;
  static final Duration BACKOFF_MAX = Duration.ofSeconds(5);
  static final double BACKOFF_JITTER = 0.2;

  static final boolean CREATE_RETRY_TOPICS = true;

  /** A key whose order matters to nobody would wait for nothing. */
  static final boolean KEEP_KEY_ORDER = false;

  /** These hold only where the key {@code dead-letter} stands; without it there is none. */
  static final boolean DEAD_LETTER_ENABLED = true;

  static final boolean CREATE_DEAD_LETTER_TOPIC = true;
  static final Oversize OVERSIZE = Oversize.STOP;

  static final Duration WATCHDOG_AFTER = Duration.ofMinutes(1);
  static final WatchdogPolicy WATCHDOG_POLICY = WatchdogPolicy.WARN;

  private Defaults() {}

  /**
   * What is told to every process is news, not a backlog: a new one would read all there is. And
   * who would rather miss a record than handle it twice must not begin at a log's first record when
   * its offset is lost.
   */
  static MissingOffset onMissingOffset(ConsumerMode mode, DeliverySemantics semantics) {
    return new MissingOffset(
        mode == ConsumerMode.BROADCAST || semantics == DeliverySemantics.AT_MOST_ONCE
            ? MissingOffset.Start.LATEST
            : MissingOffset.Start.EARLIEST);
  }

  /** A few failures are not yet an outage; and the window may be a small one. */
  static int minimumCalls(int window) {
    return Math.min(20, window);
  }

  /** At-most-once, to stop would keep nothing: the offset is past the record already. */
  static FailurePolicy onFailure(DeliverySemantics semantics) {
    return semantics == DeliverySemantics.AT_MOST_ONCE ? FailurePolicy.SKIP : FailurePolicy.STOP;
  }

  /** A second attempt would handle a record twice. */
  static int maxAttempts(DeliverySemantics semantics) {
    return semantics == DeliverySemantics.AT_MOST_ONCE ? 1 : 4;
  }

  static Ordering ordering(ConsumerMode mode) {
    return mode == ConsumerMode.QUEUE ? Ordering.UNORDERED : Ordering.KEY;
  }

  /**
   * Four polls or batches of each instance, and for each record that runs one that waits. More
   * would only be copied by each garbage collection: at 10,000 permits, twice as many cost 3 % of
   * the throughput.
   */
  static int channelCapacity(int concurrency, int instances, int batchRecords) {
    return 2 * concurrency + 4 * instances * Math.max(BATCH_MAX_RECORDS, batchRecords);
  }
}
