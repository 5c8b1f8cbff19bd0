package dev.millrace.internal.consumer;

import dev.millrace.consumer.ConsumerExplanation.CommitFailure;
import dev.millrace.consumer.ConsumerExplanation.Commits;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/** What became of a partition's commits, for who asks. Confined to the poll thread. */
final class CommitStatus {
  private Commits commits = new Commits(OptionalLong.empty(), Optional.empty(), Optional.empty());

  /** Notes what had been committed before the partition was assigned. */
  void found(long offset) {
    commits = new Commits(OptionalLong.of(offset), Optional.empty(), Optional.empty());
  }

  void acknowledged(long offset, Instant now) {
    commits = new Commits(OptionalLong.of(offset), Optional.of(now), Optional.empty());
  }

  void failed(Throwable failure, Instant now) {
    Instant since = commits.failure().map(CommitFailure::since).orElse(now);
    commits =
        new Commits(
            commits.offset(),
            commits.at(),
            Optional.of(new CommitFailure(since, now, failure.toString())));
  }

  Commits commits() {
    return commits;
  }
}
