package dev.millrace.internal.offset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.RepeatedTest;

/** A worker that walks a lane while the poll thread takes the lane's partition back. */
class WithdrawOrderTest {
  private static final int RECORDS = 200_000;
  private static final int KEYS = 1_000;

  /** What is skipped here is handled by the next owner: no later record may be ahead of it. */
  @RepeatedTest(10)
  void noRecordStartsAfterAnOlderOneOfItsKeyWasTakenBack() throws Exception {
    OffsetTracker tracker = new OffsetTracker(new TopicPartition("t", 0), CompletedAhead.NONE);
    List<OffsetTicket> lane = new ArrayList<>();
    for (int offset = 0; offset < RECORDS; offset++) {
      OffsetTicket ticket = tracker.issue(offset, -1);
      if (offset % KEYS == 0) {
        lane.add(ticket);
      }
    }
    ExecutorService worker = Executors.newSingleThreadExecutor();
    try {
      Future<Long> startedBehind =
          worker.submit(
              () -> {
                while (!lane.get(0).isWithdrawn()) {
                  Thread.onSpinWait();
                }
                return lane.stream().filter(OffsetTicket::start).count();
              });

      tracker.retire();

      assertThat(startedBehind.get(60, TimeUnit.SECONDS)).isZero();
    } finally {
      worker.shutdownNow();
    }
  }
}
