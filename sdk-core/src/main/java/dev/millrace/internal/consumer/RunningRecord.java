package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.Activity;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.RunningElsewhere;
import dev.millrace.internal.channel.Delivery;
import java.time.Duration;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * A record that is in its handler, or was when it was looked at; by then the attempt may have
 * ended, and another one begun.
 *
 * @param beganNanos when the attempt began
 */
record RunningRecord(TopicPartition partition, Delivery delivery, long beganNanos) {

  RunningRecord(TopicPartition partition, Delivery delivery) {
    this(partition, delivery, delivery.startedNanos());
  }

  /** Returns how long the attempt has taken by now. */
  long nanos(long now) {
    return Math.max(0, now - beganNanos);
  }

  /** As {@link Delivery#giveUp}, if the attempt has not ended. */
  boolean giveUp(Throwable cause) {
    return delivery.giveUp(beganNanos, cause);
  }

  /** As {@link Delivery#interrupt}, if the attempt has not ended. */
  boolean interrupt() {
    return delivery.interrupt(beganNanos);
  }

  /** Returns topic, partition and offset, as texts name them. */
  String place() {
    return partition + "@" + delivery.ticket().offset();
  }

  /** Returns where an attempt that has begun is now; empty when no thread has it yet. */
  static Optional<Activity> activity(Delivery delivery, long now) {
    Duration lasting = Duration.ofNanos(Math.max(0, now - delivery.startedNanos()));
    if (delivery.hasLeftWorker()) {
      return Optional.of(new RunningElsewhere(lasting));
    }
    Thread runner = delivery.runner();
    if (runner == null) {
      return Optional.empty();
    }
    StackTraceElement[] stack = runner.getStackTrace();
    return Optional.of(
        new Running(runner.getName(), lasting, Stacks.place(stack), Stacks.ofHandler(stack)));
  }
}
