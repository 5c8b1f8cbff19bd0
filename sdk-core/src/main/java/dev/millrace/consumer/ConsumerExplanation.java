package dev.millrace.consumer;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;

/**
 * Why a consumer stands where it stands, at one moment. Immutable. {@link #toString()} is a text to
 * be read by people; its wording may change in any version. It shows keys, cut short, and never a
 * value.
 *
 * @param consumer its name in the configuration
 * @param at when it was asked
 * @param state where it was in its life
 * @param pausedSince since when the user has it take nothing, by {@link MessageConsumer#pause()};
 *     also while it has no partitions
 * @param channel what lay between the poll and the handlers' ends
 * @param permits how many of the {@code concurrency} were in use, by whatever partition
 * @param deadLetterOutage that the dead-letter topic, or a retry topic, could not be written, if so
 * @param starts what keeps handlers from starting; empty without {@code circuit-breaker} and {@code
 *     rate-limit}
 * @param overdue records in their handler for longer than {@code handler-watchdog.after}, the
 *     oldest first and 10 at most; also those of partitions that have left since
 * @param partitions those it owned, by name; without those of a poll thread that did not answer
 * @param silence where a poll thread was that did not answer; of several {@code instances} the
 *     first such
 * @param instances of several {@code instances} each one's own, under its name, such as {@code
 *     order-consumer-2}; all else is then their sum. Empty when there is only one
 */
public record ConsumerExplanation(
    String consumer,
    Instant at,
    ConsumerState state,
    Optional<Instant> pausedSince,
    Channel channel,
    Permits permits,
    Optional<Outage> deadLetterOutage,
    Optional<Starts> starts,
    List<Overdue> overdue,
    List<Partition> partitions,
    Optional<Silence> silence,
    List<ConsumerExplanation> instances) {

  /** Takes copies of the lists. */
  public ConsumerExplanation {
    overdue = List.copyOf(overdue);
    partitions = List.copyOf(partitions);
    instances = List.copyOf(instances);
  }

  @Override
  public String toString() {
    return ExplanationText.of(this);
  }

  /**
   * What was queued, running or waiting for a retry, and the bounds.
   *
   * @param records how many records took room in the channel; when records that have rested go on,
   *     they may be more than the capacity for a while
   * @param capacity the most records
   * @param resting how many records rested beside them: those in a back-off, and those behind them;
   *     50,000 at most for each Kafka consumer, or twice its capacity if that is more
   * @param bytes the bytes of the keys, values and headers of all of these
   * @param capacityBytes no more is polled while there are this many bytes
   */
  public record Channel(int records, int capacity, int resting, long bytes, long capacityBytes) {}

  /**
   * How many records may be worked on at the same time.
   *
   * @param used records, or batches, in their handler, or given to the service's executor; also for
   *     partitions that have left, while their handlers hang
   * @param all the definition's {@code concurrency}
   */
  public record Permits(int used, int all) {}

  /**
   * Dead-letter or retry topics can't be written; records for them are sent again until they can.
   *
   * @param topics their names, in order
   * @param lasting since the first send that failed
   * @param failures how many sends have failed since
   * @param reason what the last of those failed with that were for the topic which failed first
   */
  public record Outage(List<String> topics, Duration lasting, int failures, String reason) {}

  /**
   * Whether handlers may start.
   *
   * @param circuit where the circuit stands; empty without {@code circuit-breaker}
   * @param rateLimit empty without {@code rate-limit}
   * @param waiting calls of the handler that wait for either, of one record or a batch each
   */
  public record Starts(Optional<Circuit> circuit, Optional<RateLimit> rateLimit, int waiting) {}

  /** Where a circuit stands. */
  public enum CircuitState {
    /** Handlers start. */
    CLOSED,
    /** Some handlers start, to see whether they succeed. */
    PROBING,
    /** No handler starts. */
    OPEN
  }

  /**
   * A circuit.
   *
   * @param state where it stands; of several {@code instances} the worst
   * @param since since when
   * @param probing when handlers start again, to see whether they succeed; while it is open only
   */
  public record Circuit(CircuitState state, Instant since, Optional<Instant> probing) {}

  /**
   * A rate limit.
   *
   * @param records so many records are handed to the handler
   * @param per within this time
   */
  public record RateLimit(int records, Duration per) {}

  /**
   * A record that has been in its handler for too long.
   *
   * @param partition its partition
   * @param offset its offset
   * @param attempt which attempt it is, from 1
   * @param activity {@link Running} or {@link RunningElsewhere}
   */
  public record Overdue(TopicPartition partition, long offset, int attempt, Activity activity) {}

  /**
   * A poll thread did not answer, or failed at the answer: then the log says how.
   *
   * @param waited how long it was waited for
   * @param stack where it was, the innermost frames; empty when it had not started
   */
  public record Silence(Duration waited, List<StackTraceElement> stack) {

    /** Takes a copy of the list. */
    public Silence {
      stack = List.copyOf(stack);
    }
  }

  /** Why no more of a partition is taken. */
  public enum PauseCause {
    /** All partitions: {@code channel-capacity} or {@code channel-bytes} is used up. */
    CHANNEL_FULL,
    /** All partitions: as many records as there may be rest until an attempt is due. */
    RESTING_FULL,
    /** It has more than its share of a channel that is short of room for the others. */
    SHARE_USED,
    /** Too much is delivered, or done and not saved, beyond a record that has not ended. */
    TOO_FAR_AHEAD,
    /** The next record of a retry topic is not due yet. */
    NOT_DUE,
    /** All partitions: the circuit is open, so no handler starts. */
    CIRCUIT_OPEN,
    /**
     * Which of its keys have records in retry topics is being found out, and can't be for now if it
     * lasts; only under {@code retry.keep-key-order}.
     */
    KEYS_NOT_KNOWN,
    /** Too many of its keys have records in retry topics; only under the same. */
    TOO_MANY_KEYS_AHEAD,
    /** A replay has read all of it that it is to read. */
    RANGE_READ,
    /** {@link MessageConsumer#pause()}. */
    USER
  }

  /**
   * One partition.
   *
   * @param partition its name
   * @param lag log end minus first unfinished offset, as of the last fetch; empty while the log end
   *     is not known, as while the user has paused the partition, since nothing is fetched then
   * @param position the offset the next poll takes; empty before the first one
   * @param frontier the first unfinished offset: all before it is finished; empty before the first
   *     poll
   * @param commits what the brokers know
   * @param oldest the unfinished record at the frontier, if there is one
   * @param counts its delivered records
   * @param pauses since when, and why, no more of it is taken; empty when it is not paused
   */
  public record Partition(
      TopicPartition partition,
      OptionalLong lag,
      OptionalLong position,
      OptionalLong frontier,
      Commits commits,
      Optional<Unfinished> oldest,
      Counts counts,
      Map<PauseCause, Instant> pauses) {

    /** Takes a copy of the map. */
    public Partition {
      Map<PauseCause, Instant> sorted = new EnumMap<>(PauseCause.class);
      sorted.putAll(pauses);
      pauses = Collections.unmodifiableMap(sorted);
    }

    /** Returns in one sentence what holds the partition's offset where it is, for people. */
    public String verdict() {
      return Verdict.on(this);
    }
  }

  /**
   * A partition's commits.
   *
   * @param offset the last one acknowledged, or else found when the partition was assigned; empty
   *     when there is none
   * @param at when it was acknowledged; empty when it was found
   * @param failure that commits have failed since, if so
   */
  public record Commits(
      OptionalLong offset, Optional<Instant> at, Optional<CommitFailure> failure) {}

  /**
   * Commits fail.
   *
   * @param since the first failure after the last acknowledged commit
   * @param last the latest failure
   * @param error what the latest one failed with
   */
  public record CommitFailure(Instant since, Instant last, String error) {}

  /**
   * A partition's records that have been delivered and that the frontier has not passed.
   *
   * @param queued wait for a worker, or for the service's executor
   * @param running are in their handler
   * @param parked wait for a retry, or for the acknowledgement of their dead letter or retry topic
   * @param doneBeyond done behind one that is not
   * @param unsaved those of them that the last commit had no room to name
   */
  public record Counts(int queued, int running, int parked, int doneBeyond, int unsaved) {}

  /**
   * A record that has not ended.
   *
   * @param offset its offset
   * @param key its key in quotes when it is printable text, else as hex digits, at most about 60
   *     characters; empty when it has none
   * @param attempt which attempt runs or comes next, from 1
   * @param sincePolled since it was polled
   * @param activity what becomes of it at this moment
   */
  public record Unfinished(
      long offset, Optional<String> key, int attempt, Duration sincePolled, Activity activity) {}

  /** What becomes of a record. */
  public sealed interface Activity {}

  /** It waits for a worker, or behind an earlier record of its key. */
  public record Queued() implements Activity {}

  /**
   * It is in its handler.
   *
   * @param thread the name of the handler's thread
   * @param lasting since the attempt began
   * @param in the innermost frame that is not the JDK's, in short
   * @param stack the innermost frames, 15 at most, those of Millrace left away
   */
  public record Running(String thread, Duration lasting, String in, List<StackTraceElement> stack)
      implements Activity {

    /** Takes a copy of the list. */
    public Running {
      stack = List.copyOf(stack);
    }
  }

  /**
   * The service's own executor was given it, and has not begun it. It holds a permit and its key;
   * its handler has not been called.
   *
   * @param lasting since the executor was given it
   */
  public record WaitsForExecutor(Duration lasting) implements Activity {}

  /**
   * Its handler has begun and left the worker's thread: its stage has not completed.
   *
   * @param lasting since the attempt began
   */
  public record RunningElsewhere(Duration lasting) implements Activity {}

  /**
   * Its last attempt failed, and the next one follows.
   *
   * @param due how long from now
   * @param failure the class of the last failure
   */
  public record WaitsForRetry(Duration due, String failure) implements Activity {}

  /**
   * It waits for its message: another one has that, or the idempotency store does not answer.
   *
   * @param lasting since it waits
   * @param why which of them
   */
  public record WaitsForMessage(Duration lasting, String why) implements Activity {}

  /**
   * Its handler may not start: the circuit is open, or the rate limit lets no more start.
   *
   * @param lasting since it waits
   * @param why which of them
   */
  public record WaitsForStart(Duration lasting, String why) implements Activity {}

  /**
   * Its attempts are used up, and its dead letter is not acknowledged yet.
   *
   * @param lasting since its attempts were used up
   * @param failure the class of the last failure
   */
  public record WaitsForDeadLetter(Duration lasting, String failure) implements Activity {}

  /**
   * Its attempts in place are used up, and its retry topic has not acknowledged it yet.
   *
   * @param level which retry topic, from 1
   * @param lasting since its attempts were used up
   * @param failure the class of the last failure
   */
  public record WaitsForRetryTopic(int level, Duration lasting, String failure)
      implements Activity {}

  /**
   * An earlier record of its key is in a retry topic. It follows there, and is not acknowledged
   * yet; or it waits to be handled here, since the earlier ones seem to have ended, or since the
   * retry topic does not take it. Only under {@code retry.keep-key-order}.
   *
   * @param lasting since it could have been handled
   */
  public record FollowsKey(Duration lasting) implements Activity {}
}
