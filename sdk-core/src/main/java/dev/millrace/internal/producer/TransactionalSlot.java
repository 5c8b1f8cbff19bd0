package dev.millrace.internal.producer;

import dev.millrace.errors.TransactionAbortedException;
import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The place of one transactional id, with at most one Kafka client at a time: vacant → ready → in a
 * transaction → ready, or vacant again.
 *
 * <p>Its invariant: a client is used for another transaction only after the coordinator has
 * confirmed the end of the last one. In all other cases it is closed without another word, and the
 * next client of the same id waits, in {@code initTransactions}, until the coordinator has ended
 * for good what the old one left: from then on no late request of the old one has any effect, since
 * its epoch is fenced (KIP-98, KIP-890).
 *
 * <p>All methods are its leaseholder's, but for {@link #close} and {@link #awaitTopic}, which any
 * thread may call.
 */
public final class TransactionalSlot {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionalSlot.class);

  private final String owner;
  private final String transactionalId;
  private final Duration timeout;
  private final Supplier<TransactionalClient> clients;
  private volatile @Nullable TransactionalClient client;
  private volatile boolean closed;
  private @Nullable OpenTransaction open;

  /**
   * @param owner what it works for, for the texts
   * @param timeout the client's {@code transaction.timeout.ms}
   */
  TransactionalSlot(
      String owner,
      String transactionalId,
      Duration timeout,
      Supplier<TransactionalClient> clients) {
    this.owner = owner;
    this.transactionalId = transactionalId;
    this.timeout = timeout;
    this.clients = clients;
  }

  /**
   * Makes a slot that is nobody else's.
   *
   * @param name what its clients' meters are called by
   * @param owner what it works for, for the texts
   * @param settings its clients', the transactional id among them
   * @param timeout their {@code transaction.timeout.ms}
   */
  public static TransactionalSlot of(
      String name,
      String owner,
      Map<String, Object> settings,
      Duration timeout,
      ClientMeters meters) {
    return new TransactionalSlot(
        owner,
        Objects.requireNonNull(settings.get(ProducerConfig.TRANSACTIONAL_ID_CONFIG)).toString(),
        timeout,
        () -> TransactionalClient.make(name, settings, meters));
  }

  /** Returns its transactional id. */
  public String transactionalId() {
    return transactionalId;
  }

  /** Returns what it works for, for the texts. */
  String owner() {
    return owner;
  }

  Duration timeout() {
    return timeout;
  }

  /** Whether it has a client. */
  boolean isWarm() {
    return client != null;
  }

  /**
   * Has a client, if need be a new one: returns only when no earlier transaction of this id is open
   * or can be ended any more by whom it was begun. Waits for up to {@code max.block.ms}.
   *
   * @throws TransactionAbortedException when there is no client to be had; nothing was begun, and
   *     the next call tries again
   */
  public void ready() {
    if (client != null) {
      return;
    }
    TransactionalClient made = clients.get();
    try {
      made.producer().initTransactions();
    } catch (RuntimeException e) {
      made.close(Duration.ZERO);
      throw new TransactionAbortedException(
          "%s could not begin a transaction: transactional id '%s' was not given to it (%s). Nothing was sent; try again."
              .formatted(owner, transactionalId, Fencing.reason(e)),
          e);
    }
    client = made;
    if (closed) {
      discard();
      throw new IllegalStateException(owner + " is closed.");
    }
  }

  /**
   * Begins a transaction, on a new client where there is none.
   *
   * @throws TransactionAbortedException when it can't; nothing was begun
   * @throws IllegalStateException when the last one has not ended, or the slot is closed
   */
  public OpenTransaction begin() {
    if (open != null) {
      throw new IllegalStateException(
          "Transactional id '" + transactionalId + "' is in a transaction already.");
    }
    if (closed) {
      throw new IllegalStateException(owner + " is closed.");
    }
    ready();
    TransactionalClient ours = client;
    if (ours == null) {
      throw new IllegalStateException(owner + " is closed.");
    }
    try {
      ours.producer().beginTransaction();
    } catch (RuntimeException e) {
      discard();
      throw new TransactionAbortedException(
          "%s could not begin a transaction with transactional id '%s' (%s). Nothing was sent; try again."
              .formatted(owner, transactionalId, Fencing.reason(e)),
          e);
    }
    OpenTransaction begun = new OpenTransaction(this, ours.producer());
    open = begun;
    return begun;
  }

  /**
   * Waits, for up to {@code max.block.ms}, until the brokers have told of a topic; not at all while
   * there is no client to ask. Any thread.
   *
   * @throws org.apache.kafka.common.KafkaException when it is not there, or may not be seen
   */
  public void awaitTopic(String topic) {
    TransactionalClient asked = client;
    if (asked != null) {
      var unused = asked.producer().partitionsFor(topic);
    }
  }

  /** The coordinator has confirmed the end: the client may be used again. */
  void ended() {
    open = null;
  }

  /** The end is not confirmed: the client is not used again. */
  void endedUnconfirmed(RuntimeException why) {
    open = null;
    discard();
    LOG.info(
        "{} gives up the client of transactional id '{}'; the next transaction gets a new one: {}",
        owner,
        transactionalId,
        why.toString());
  }

  private void discard() {
    TransactionalClient old = client;
    client = null;
    if (old != null) {
      // Zero: it may still have a commit to send, which from now on only its successor may settle.
      old.close(Duration.ZERO);
    }
  }

  /** Whether a transaction is open. */
  boolean isInTransaction() {
    return open != null;
  }

  /** Closes it for good, within the bound. A transaction that is open will not be committed. */
  public void close(Duration bound) {
    closed = true;
    TransactionalClient last = client;
    if (last != null) {
      last.close(bound);
    }
  }
}
