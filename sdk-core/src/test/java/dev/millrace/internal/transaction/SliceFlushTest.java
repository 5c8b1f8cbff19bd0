package dev.millrace.internal.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Records that end while a slice's outputs are flushed, ahead of a commit. */
class SliceFlushTest {
  private final OffsetTracker tracker =
      new OffsetTracker(new TopicPartition("in", 0), CompletedAhead.NONE);
  private final List<String> calls = new ArrayList<>();

  /** The slice's thread has done nothing of it yet. */
  private final Queue<Runnable> asked = new ArrayDeque<>();

  private final Slice slice = new Slice(new Recorded(), asked::add, () -> {});

  @Test
  void recordsEndWhileOutputsAreFlushed() {
    open();
    assertThat(end(0)).isEqualTo(Effect.COMPLETED);

    slice.flush();

    assertThat(end(1)).isEqualTo(Effect.COMPLETED);
    assertThat(slice.isQuiet()).isFalse();
    runAsked();
    assertThat(slice.takeNews()).isInstanceOf(Slice.Flushed.class);
    assertThat(slice.shut()).isTrue();
    assertThat(calls).containsExactly("begin", "send 0", "send 1", "flush");
  }

  private void open() {
    slice.begin();
    runAsked();
    assertThat(slice.takeNews()).isInstanceOf(Slice.Begun.class);
    slice.open();
    runAsked();
  }

  private void runAsked() {
    for (Runnable next = asked.poll(); next != null; next = asked.poll()) {
      next.run();
    }
  }

  private Effect end(int offset) {
    OffsetTicket ticket = Objects.requireNonNull(tracker.issue(offset, -1));
    assertThat(ticket.start()).isTrue();
    return slice.end(
        new RecordEnd(
            "in",
            0,
            ticket,
            List.of(new ProducerRecord<>("out", offset, null, new byte[0])),
            completed -> {}));
  }

  private final class Recorded implements Transactions {
    @Override
    public void begin() {
      calls.add("begin");
    }

    @Override
    public void awaitTopic(String topic) {}

    @Override
    public void send(ProducerRecord<byte[], byte[]> output, Consumer<Throwable> onFailure) {
      calls.add("send " + output.partition());
    }

    @Override
    public void flush() {
      calls.add("flush");
    }

    @Override
    public void commit(
        Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
      calls.add("commit");
    }

    @Override
    public void abort() {
      calls.add("abort");
    }

    @Override
    public void close(Duration bound) {}
  }
}
