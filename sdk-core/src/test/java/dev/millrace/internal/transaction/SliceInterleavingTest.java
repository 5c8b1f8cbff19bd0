package dev.millrace.internal.transaction;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.require;
import static dev.millrace.Interleavings.together;

import dev.millrace.internal.offset.CompletedAhead;
import dev.millrace.internal.offset.OffsetTicket;
import dev.millrace.internal.offset.OffsetTracker;
import dev.millrace.internal.transaction.RecordEnd.Effect;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Records that end while their slice is shut, commits and opens again. */
@Tag("interleavings")
class SliceInterleavingTest {
  private static final TopicPartition PARTITION = new TopicPartition("in", 0);

  @SuppressWarnings("removal") // Only clients make others.
  private static final ConsumerGroupMetadata GROUP = new ConsumerGroupMetadata("g");

  /** By offset: the output of the record there. */
  private static final List<List<ProducerRecord<byte[], byte[]>>> OUTPUTS =
      List.of(output(0), output(1));

  private static List<ProducerRecord<byte[], byte[]>> output(int number) {
    return List.of(new ProducerRecord<>("out", number, null, new byte[0]));
  }

  /** Two records of one partition; the slice's thread is whoever asks. */
  private static final class Copy implements Transactions {
    final OffsetTracker tracker = new OffsetTracker(PARTITION, CompletedAhead.NONE);
    final OffsetTicket[] tickets = {ticket(0), ticket(1)};
    final AtomicInteger ended = new AtomicInteger();
    private final boolean[] sent = new boolean[2];
    private final boolean[] committed = new boolean[2];
    private volatile boolean isOpen;
    private final Executor here = Runnable::run;
    final Slice slice = new Slice(this, here, () -> {});

    private OffsetTicket ticket(int offset) {
      OffsetTicket issued = Objects.requireNonNull(tracker.issue(offset, -1));
      require(issued.start(), "can't start");
      return issued;
    }

    void end(int offset) {
      Effect now =
          slice.end(
              new RecordEnd(
                  "in",
                  0,
                  tickets[offset],
                  OUTPUTS.get(offset),
                  null,
                  completed -> ended.incrementAndGet()));
      if (now != Effect.LATER) {
        ended.incrementAndGet();
      }
    }

    /** Poll thread. */
    void commit() {
      while (!slice.shut()) {
        Thread.onSpinWait();
      }
      OffsetAndMetadata offset = tracker.committable(4096);
      slice.commit(offset == null ? Map.of() : Map.of(PARTITION, offset), GROUP);
      Slice.News news = slice.takeNews();
      require(news instanceof Slice.Committed, String.valueOf(news));
      if (offset != null) {
        tracker.committed(offset);
      }
    }

    @Override
    public void begin() {
      require(!isOpen, "one is open");
      isOpen = true;
    }

    @Override
    public void awaitTopic(String topic) {}

    @Override
    public void send(ProducerRecord<byte[], byte[]> output, Consumer<Throwable> onFailure) {
      require(isOpen, "sent between two transactions");
      require(!sent[output.partition()] && !committed[output.partition()], "sent twice");
      sent[output.partition()] = true;
    }

    @Override
    public void commit(
        Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
      require(isOpen, "none is open");
      isOpen = false;
      for (int offset = 0; offset < 2; offset++) {
        boolean covered = isCovered(offsets.get(PARTITION), offset);
        boolean is = sent[offset] || committed[offset];
        require(
            is == (covered || committed[offset]), "offset " + offset + " and its output disagree");
        committed[offset] = is;
        sent[offset] = false;
      }
    }

    private static boolean isCovered(@Nullable OffsetAndMetadata committed, int offset) {
      return committed != null
          && (offset < committed.offset()
              || CompletedAhead.read(PARTITION, committed).orElseThrow().done().contains(offset));
    }

    @Override
    public void abort() {
      throw new AssertionError("nothing has failed");
    }

    @Override
    public void close(Duration bound) {}
  }

  @Test
  void outputsAndOffsetsAreInTheSameTransaction() {
    check(
        () -> {
          Copy copy = new Copy();
          copy.slice.begin();
          require(copy.slice.takeNews() instanceof Slice.Begun, "not begun");
          copy.slice.open();
          return together(
                  () -> {
                    copy.commit();
                    copy.commit();
                  },
                  () -> copy.end(1),
                  () -> copy.end(0))
              .then(
                  () -> {
                    copy.commit();
                    require(copy.committed[0] && copy.committed[1], "not all are committed");
                    require(copy.ended.get() == 2, copy.ended.get() + " have ended");
                  });
        });
  }
}
