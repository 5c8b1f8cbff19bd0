package dev.millrace.internal.metrics;

/** The names of the meters: what dashboards are built on, so a promise like the configuration's. */
final class MeterNames {
  /** Counter: ends and retries of records, by {@code outcome}. */
  static final String RECORDS = "millrace.consumer.records";

  /** Distribution summary: records handed to a handler of batches at once. */
  static final String BATCH_RECORDS = "millrace.consumer.batch.records";

  /** Timer: time of an attempt, decoding and handler, by {@code result}. */
  static final String HANDLER_TIME = "millrace.consumer.handler";

  /** Timer: from the poll to the start of the first attempt. */
  static final String QUEUE_WAIT = "millrace.consumer.queue.wait";

  /** Gauge: records queued, running or waiting for a retry. */
  static final String IN_FLIGHT = "millrace.consumer.in.flight";

  /** Those of them that rest until an attempt is due, and those behind them. */
  static final String RESTING = "millrace.consumer.resting";

  /** Gauge: the bytes of their keys, values and headers. */
  static final String IN_FLIGHT_BYTES = "millrace.consumer.in.flight.bytes";

  /** Gauge: how long the oldest attempt under way has taken. */
  static final String OLDEST_RUNNING = "millrace.consumer.oldest.running";

  /** Gauge, per partition: log end minus the first unfinished offset. */
  static final String LAG = "millrace.consumer.lag";

  /** Gauge, per partition: records done that no commit could name, so a crash repeats them. */
  static final String UNSAVED = "millrace.consumer.unsaved";

  /** Counter: sends to the dead-letter topic that failed and will be tried again. */
  static final String DEAD_LETTER_FAILURES = "millrace.consumer.dead.letter.failures";

  /** Counter: sends to a retry topic that failed and will be tried again. */
  static final String RETRY_TOPIC_FAILURES = "millrace.consumer.retry.topic.failures";

  /** Gauge: keys whose later records follow one that is in a retry topic. */
  static final String KEYS_AHEAD = "millrace.consumer.keys.ahead";

  /**
   * Counter: records whose headers claim that they were redriven for a group, or come from a retry
   * topic, and do not fit them; handled as others are.
   */
  static final String HEADERS_IGNORED = "millrace.consumer.headers.ignored";

  /** Counter: commits that failed; the next one says the same and more. */
  static final String COMMIT_FAILURES = "millrace.consumer.commit.failures";

  /**
   * Counter: records that had ended in a transaction that was not committed; they come again. They
   * are in {@link #RECORDS} each time that they end.
   */
  static final String UNDONE = "millrace.consumer.undone";

  /** Counter: partitions that could not go on at their offset, because the log does not have it. */
  static final String OFFSET_RESETS = "millrace.consumer.offset.resets";

  /** Counter: records whose lock was lost while a queue's consumer had them; they come again. */
  static final String LOCKS_LOST = "millrace.consumer.locks.lost";

  /** Counter: calls of the idempotency store that failed; they are repeated. */
  static final String IDEMPOTENCY_FAILURES = "millrace.consumer.idempotency.failures";

  /** Counter: messages handled that another one took meanwhile, the lease being over. */
  static final String IDEMPOTENCY_TAKEN = "millrace.consumer.idempotency.taken";

  /** Gauge: where a circuit stands; 0 closed, 1 half open, 2 open. */
  static final String CIRCUIT = "millrace.consumer.circuit";

  /** Counter: how often a circuit has opened. */
  static final String CIRCUIT_OPENINGS = "millrace.consumer.circuit.openings";

  /** Gauge: calls of the handler that wait for a circuit or a rate limit. */
  static final String WAITING_TO_START = "millrace.consumer.waiting.to.start";

  /** Counter: ends of sent records, by {@code outcome}. */
  static final String SENT = "millrace.producer.records";

  /** Gauge: sent records that have neither been acknowledged nor failed. */
  static final String SENDS_IN_FLIGHT = "millrace.producer.in.flight";

  /** Gauge: the bytes of their keys, values and headers. */
  static final String SENDS_IN_FLIGHT_BYTES = "millrace.producer.in.flight.bytes";

  /** Gauge: handles given out and not closed. */
  static final String HANDLES = "millrace.producer.handles";

  /** Gauge: its Kafka clients. */
  static final String INSTANCES = "millrace.producer.instances";

  /** Counter: Kafka clients made in the place of one that could not go on. */
  static final String REPLACEMENTS = "millrace.producer.replacements";

  /** Gauge: threads that wait for room to send. */
  static final String SENDS_WAITING = "millrace.producer.waiting";

  private MeterNames() {}
}
