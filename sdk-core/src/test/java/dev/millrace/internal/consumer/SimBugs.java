package dev.millrace.internal.consumer;

import dev.millrace.config.HandlerWatchdogDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.config.WatchdogPolicy;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Mistakes that consumers are known for, by name. */
final class SimBugs {
  private SimBugs() {}

  static Map<String, SimBug> all() {
    Map<String, SimBug> bugs = new LinkedHashMap<>();
    bugs.put("commits the highest offset seen", new CommitsPosition());
    bugs.put("commits one record too many", new CommitsShifted(1));
    bugs.put("commits go back", new CommitsShifted(-2));
    bugs.put("what runs ahead is saved for another offset", new KeepsMetadata());
    bugs.put("commits nothing when partitions leave", new CommitsNothingAtOnce());
    bugs.put("forgets what was done beyond the offset", new ReadsNothingBack());
    bugs.put("passes over a revocation", new MissesRevocation());
    bugs.put("loses the user's pause in a rebalance", new LosesPauses());
    bugs.put("never resumes", new NeverResumes());
    bugs.put("drops a polled record", new DropsRecord());
    bugs.put("takes a handler for done when it has begun", new EndsEarly());
    bugs.put("forgets a retry that waits", new ForgetsTimers());
    bugs.put("puts a key's records in two lanes", new SplitsKeys());
    bugs.put("waits for a commit's answer for ever", new LosesAnswers());
    bugs.put("goes on at the end, whatever it was told", new GoesOnAtTheEnd());
    bugs.put("goes on behind the first record of a log", new SkipsOne());
    bugs.put("takes new records of a log that was cut for old ones", new SeesNoEpochs());
    bugs.put("lets go of a record that was given up", new GivesNothingUp());
    bugs.put("finds itself healthy, whatever hangs", new IsAlwaysHealthy());
    bugs.put("does not tell its listener", new TellsNoListener());
    bugs.put("takes a batch for done that has failed", new PassesOverFailuresInBatches());
    bugs.put("commits a transaction of which a record was not sent", new ForgetsFailedSends());
    bugs.put("takes an unanswered commit for committed", new TrustsUnansweredCommits());
    bugs.put("takes an unanswered commit for aborted", new MissesLastCommits());
    bugs.put("commits offsets as the member that it was", new NamesNoGeneration());
    bugs.put("goes on from offsets that may still change", new ReadsUnstableOffsets());
    bugs.put("goes on where it was after an abort", new NeverGoesBack());
    return bugs;
  }

  private static final class ForgetsFailedSends implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean remembersFailedSends() {
      return false;
    }
  }

  private static final class TrustsUnansweredCommits implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean tellsOfUnansweredCommit() {
      return false;
    }
  }

  private static final class MissesLastCommits implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean findsLastCommit() {
      return false;
    }
  }

  private static final class NamesNoGeneration implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean checksGeneration() {
      return false;
    }
  }

  private static final class ReadsUnstableOffsets implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean fences() {
      return false;
    }

    @Override
    public boolean asksForStableOffsets() {
      return false;
    }
  }

  private static final class NeverGoesBack implements SimBug {
    @Override
    public boolean isOfTransactions() {
      return true;
    }

    @Override
    public boolean goesBack() {
      return false;
    }
  }

  private static final class CommitsPosition implements SimBug {
    @Override
    public Map<TopicPartition, OffsetAndMetadata> commits(
        SimConsumer client, Map<TopicPartition, OffsetAndMetadata> offsets) {
      Map<TopicPartition, OffsetAndMetadata> seen = new HashMap<>();
      offsets.forEach(
          (partition, offset) ->
              seen.put(partition, new OffsetAndMetadata(client.nextOffset(partition))));
      return seen;
    }
  }

  private static final class CommitsShifted implements SimBug {
    private final int by;

    CommitsShifted(int by) {
      this.by = by;
    }

    @Override
    public Map<TopicPartition, OffsetAndMetadata> commits(
        SimConsumer client, Map<TopicPartition, OffsetAndMetadata> offsets) {
      Map<TopicPartition, OffsetAndMetadata> shifted = new HashMap<>();
      offsets.forEach(
          (partition, offset) ->
              shifted.put(partition, new OffsetAndMetadata(Math.max(0, offset.offset() + by))));
      return shifted;
    }
  }

  /** The offset is today's, what is beyond it yesterday's. */
  private static final class KeepsMetadata implements SimBug {
    private String old = "";

    @Override
    public Map<TopicPartition, OffsetAndMetadata> commits(
        SimConsumer client, Map<TopicPartition, OffsetAndMetadata> offsets) {
      Map<TopicPartition, OffsetAndMetadata> mixed = new HashMap<>();
      offsets.forEach(
          (partition, offset) -> {
            mixed.put(partition, new OffsetAndMetadata(offset.offset(), Optional.empty(), old));
            old = offset.metadata();
          });
      return mixed;
    }
  }

  private static final class CommitsNothingAtOnce implements SimBug {
    @Override
    public boolean commitsAtOnce() {
      return false;
    }
  }

  private static final class ReadsNothingBack implements SimBug {
    @Override
    public OffsetAndMetadata readsBack(OffsetAndMetadata committed) {
      return new OffsetAndMetadata(committed.offset());
    }
  }

  private static final class MissesRevocation implements SimBug {
    @Override
    public boolean tellsRevoked() {
      return false;
    }
  }

  private static final class LosesPauses implements SimBug {
    @Override
    public boolean pauses(boolean inRebalance) {
      return !inRebalance;
    }
  }

  private static final class NeverResumes implements SimBug {
    @Override
    public boolean resumes() {
      return false;
    }
  }

  private static final class DropsRecord implements SimBug {
    @Override
    public boolean delivers(long offset) {
      return offset % 10 != 3;
    }
  }

  private static final class EndsEarly implements SimBug {
    @Override
    public CompletionStage<?> stage(CompletableFuture<@Nullable Void> end) {
      return CompletableFuture.completedFuture(null);
    }
  }

  private static final class ForgetsTimers implements SimBug {
    @Override
    public void timer(Runnable task) {}
  }

  private static final class SplitsKeys implements SimBug {
    @Override
    public byte @Nullable [] key(byte @Nullable [] key, long offset) {
      return key == null || offset % 2 == 0 ? key : new byte[] {key[0], ' '};
    }
  }

  private static final class GoesOnAtTheEnd implements SimBug {
    @Override
    public MissingOffset onMissingOffset(MissingOffset wanted) {
      return new MissingOffset(MissingOffset.Start.LATEST);
    }
  }

  private static final class SkipsOne implements SimBug {
    @Override
    public long seeks(long offset) {
      return offset + 1;
    }
  }

  private static final class SeesNoEpochs implements SimBug {
    @Override
    public int epoch(int epoch) {
      return 0;
    }
  }

  private static final class GivesNothingUp implements SimBug {
    @Override
    public HandlerWatchdogDefinition watchdog(HandlerWatchdogDefinition wanted) {
      return wanted.policy() == WatchdogPolicy.DEAD_LETTER
          ? new HandlerWatchdogDefinition(wanted.after(), WatchdogPolicy.WARN)
          : wanted;
    }
  }

  private static final class IsAlwaysHealthy implements SimBug {
    @Override
    public HandlerWatchdogDefinition watchdog(HandlerWatchdogDefinition wanted) {
      return wanted.policy() == WatchdogPolicy.UNHEALTHY
          ? new HandlerWatchdogDefinition(wanted.after(), WatchdogPolicy.WARN)
          : wanted;
    }
  }

  private static final class TellsNoListener implements SimBug {
    @Override
    public boolean tellsListener() {
      return false;
    }
  }

  private static final class PassesOverFailuresInBatches implements SimBug {
    @Override
    public boolean tellsFailureInBatch() {
      return false;
    }
  }

  private static final class LosesAnswers implements SimBug {
    @Override
    public boolean answersCommits() {
      return false;
    }
  }
}
