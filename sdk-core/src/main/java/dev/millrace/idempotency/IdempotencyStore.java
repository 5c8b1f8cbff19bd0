package dev.millrace.idempotency;

/**
 * Remembers which messages are being handled, and which are done.
 *
 * <p>A message is known by its scope and id, and is free, held or done:
 *
 * <pre>
 *   free → held          begin
 *   held → held          begin, by the same holder, or by any other once the lease is over
 *   held → done          done, by the holder
 *   held → free          release, by the holder
 *   done → free          when the retention is over
 * </pre>
 *
 * <p>What a store must keep, whatever happens at the same time:
 *
 * <ul>
 *   <li>Of all that begin a free message, one is granted it. Until its lease is over no other is.
 *   <li>A message that another holder was granted, or has done, is not made done or free by a
 *       former one.
 *   <li>Once {@code done} has returned true, {@code begin} says {@link Begun.Done} until the
 *       retention is over.
 *   <li>The same call by the same holder may come again, since an answer can be lost: it says the
 *       same.
 * </ul>
 *
 * <p>Called by any number of threads at a time, those of handlers; it may block, but should bound
 * the time. Whatever it throws means that the store does not work: the record is put back and the
 * call made again later, so nothing is handled of which the store does not know.
 */
public interface IdempotencyStore {

  /**
   * Asks for a message before it is handled.
   *
   * @throws Exception when the store does not know; it may have granted the claim all the same
   */
  Begun begin(Claim claim) throws Exception;

  /**
   * Says that the message has been handled, also after the lease is over, if nobody has taken the
   * message since.
   *
   * @return false when another holder has it or has done it, so that it may have been handled twice
   * @throws Exception when the store does not know; it may be done all the same
   */
  boolean done(Claim claim) throws Exception;

  /**
   * Says that the message has not been handled, so that whoever waits for it need not wait for the
   * end of the lease. Without effect when the claim does not hold the message.
   *
   * @throws Exception when the store does not work: the lease ends by itself
   */
  void release(Claim claim) throws Exception;
}
