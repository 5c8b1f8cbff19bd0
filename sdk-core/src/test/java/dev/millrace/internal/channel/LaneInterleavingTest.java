package dev.millrace.internal.channel;

import static dev.millrace.Interleavings.check;
import static dev.millrace.Interleavings.together;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The poll thread, workers, and those who resume or end what is parked. */
@Tag("interleavings")
class LaneInterleavingTest {

  @Test
  void eachOfALaneIsHandledOnceAloneAndInOrder() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.offer(0);
                    channel.offer(0);
                    channel.requireBounds();
                  },
                  () -> channel.workOnce(channel::handle),
                  () -> channel.work(channel::handle))
              .then(
                  () -> {
                    channel.work(channel::handle);
                    channel.requireAllHandled();
                  });
        });
  }

  @Test
  void aParkedLaneIsReadyOnceItIsResumed() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 1);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.offer(0);
                  },
                  () -> channel.work(channel::failAtFirst),
                  channel::resumeParked)
              .then(
                  () -> {
                    for (int attempt = 0; attempt < 4; attempt++) {
                      channel.resumeParked();
                      channel.work(channel::failAtFirst);
                    }
                    channel.requireAllHandled();
                  });
        });
  }

  /** Handlers leave their workers; whoever ends one gives its permit back. */
  @Test
  void noMorePermitsAreUsedThanThereAreAndEachComesBack() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.counted(1), 1);
          channel.offer(0);
          channel.offer(1);
          return together(
                  () -> {
                    channel.work(channel::leaveWorker);
                    channel.endParked();
                  },
                  () -> {
                    channel.work(channel::leaveWorker);
                    channel.endParked();
                  })
              .then(
                  () -> {
                    for (int left = 0; left < 2; left++) {
                      channel.endParked();
                      channel.work(channel::leaveWorker);
                    }
                    channel.endParked();
                    channel.requireAllHandled();
                  });
        });
  }

  /** What is taken back leaves the channel at once; its lane's worker must not count it again. */
  @Test
  void whatIsTakenBackFromAWorkersLaneLeavesTheChannelOnce() {
    check(
        () -> {
          InterleavedChannel channel = new InterleavedChannel(Permits.threads(), 2);
          return together(
                  () -> {
                    channel.offer(0);
                    channel.offer(0);
                    channel.tracker.takeBack();
                    channel.requireBounds();
                  },
                  () -> channel.work(channel::handle))
              .then(
                  () -> {
                    channel.work(channel::handle);
                    channel.requireEmpty();
                  });
        });
  }
}
