package dev.millrace.internal.listener;

import dev.millrace.consumer.ConsumerListener;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.common.TopicPartition;

/**
 * A service's listener that several instances tell, each on a thread of its own: they take turns,
 * and idle is only who is idle with all the others.
 */
public final class SharedListener implements ConsumerListener {
  private final ConsumerListener listener;
  private final int instances;
  private final ReentrantLock turn = new ReentrantLock();
  private int idle;

  public SharedListener(ConsumerListener listener, int instances) {
    this.listener = listener;
    this.instances = instances;
  }

  @Override
  public void assigned(Set<TopicPartition> partitions) {
    inTurn(() -> listener.assigned(partitions));
  }

  @Override
  public void revoked(Set<TopicPartition> partitions) {
    inTurn(() -> listener.revoked(partitions));
  }

  @Override
  public void lost(Set<TopicPartition> partitions) {
    inTurn(() -> listener.lost(partitions));
  }

  /** The last one that was busy knows for how long nobody has been. */
  @Override
  public void idle(Duration lasting) {
    inTurn(
        () -> {
          idle++;
          if (idle == instances) {
            listener.idle(lasting);
          }
        });
  }

  @Override
  public void active() {
    inTurn(
        () -> {
          idle--;
          if (idle == instances - 1) {
            listener.active();
          }
        });
  }

  /** An instance that ends interrupts its thread, which then waits for the others no longer. */
  private void inTurn(Runnable call) {
    try {
      turn.lockInterruptibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    try {
      call.run();
    } finally {
      turn.unlock();
    }
  }
}
