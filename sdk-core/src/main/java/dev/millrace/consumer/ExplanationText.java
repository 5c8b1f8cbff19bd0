package dev.millrace.consumer;

import dev.millrace.consumer.ConsumerExplanation.Channel;
import dev.millrace.consumer.ConsumerExplanation.Circuit;
import dev.millrace.consumer.ConsumerExplanation.Commits;
import dev.millrace.consumer.ConsumerExplanation.Counts;
import dev.millrace.consumer.ConsumerExplanation.Outage;
import dev.millrace.consumer.ConsumerExplanation.Overdue;
import dev.millrace.consumer.ConsumerExplanation.Partition;
import dev.millrace.consumer.ConsumerExplanation.PauseCause;
import dev.millrace.consumer.ConsumerExplanation.Permits;
import dev.millrace.consumer.ConsumerExplanation.Running;
import dev.millrace.consumer.ConsumerExplanation.Silence;
import dev.millrace.consumer.ConsumerExplanation.Starts;
import dev.millrace.consumer.ConsumerExplanation.Unfinished;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** An explanation as text, for who is called at night: the verdicts first, the figures below. */
final class ExplanationText {
  private final StringBuilder text = new StringBuilder();

  private ExplanationText() {}

  static String of(ConsumerExplanation explanation) {
    ExplanationText text = new ExplanationText();
    text.consumer(explanation);
    if (explanation.instances().isEmpty()) {
      text.inside(explanation);
    } else {
      explanation.instances().forEach(instance -> text.text.append(of(instance)));
    }
    return text.text.toString();
  }

  private void consumer(ConsumerExplanation explanation) {
    line(
        "Consumer '%s' is %s at %s"
            .formatted(explanation.consumer(), explanation.state(), time(explanation.at())));
    Channel channel = explanation.channel();
    Permits permits = explanation.permits();
    line(
        "  channel: %d of %d records, %d more rest, %d of %d bytes; permits: %d of %d used"
            .formatted(
                channel.records(),
                channel.capacity(),
                channel.resting(),
                channel.bytes(),
                channel.capacityBytes(),
                permits.used(),
                permits.all()));
    explanation
        .pausedSince()
        .ifPresent(since -> line("  " + Verdict.paused(PauseCause.USER, since)));
    explanation.deadLetterOutage().ifPresent(this::outage);
    explanation.starts().ifPresent(this::starts);
  }

  private void inside(ConsumerExplanation explanation) {
    explanation.overdue().forEach(this::overdue);
    explanation.silence().ifPresent(this::silence);
    explanation.partitions().forEach(this::partition);
  }

  private void outage(Outage outage) {
    line(
        "  %s can't be written for %s, %d sends failed: %s"
            .formatted(
                String.join(", ", outage.topics()),
                time(outage.lasting()),
                outage.failures(),
                outage.reason()));
  }

  private void starts(Starts starts) {
    List<String> limits = new ArrayList<>();
    starts.circuit().ifPresent(circuit -> limits.add("circuit " + circuit(circuit)));
    starts
        .rateLimit()
        .ifPresent(
            limit ->
                limits.add(
                    "rate limit %d records in %s".formatted(limit.records(), time(limit.per()))));
    line(
        "  %s; %d calls of the handler wait"
            .formatted(String.join(", ", limits), starts.waiting()));
  }

  private static String circuit(Circuit circuit) {
    return "%s since %s%s"
        .formatted(
            circuit.state(),
            time(circuit.since()),
            circuit.probing().map(at -> ", no handler starts before " + time(at)).orElse(""));
  }

  private void overdue(Overdue overdue) {
    line(
        "  overdue: %s@%d, %s"
            .formatted(
                overdue.partition(), overdue.offset(), Verdict.activity(overdue.activity())));
  }

  private void silence(Silence silence) {
    line(
        "  a poll thread did not answer (waited %s), so nothing is known of its partitions; it is"
            .formatted(time(silence.waited())));
    stack(silence.stack());
  }

  private void partition(Partition partition) {
    line(partition.partition() + ": " + partition.verdict());
    line(
        "  lag %s, position %s, first unfinished %s, committed %s"
            .formatted(
                number(partition.lag()),
                number(partition.position()),
                number(partition.frontier()),
                committed(partition.commits())));
    partition
        .commits()
        .failure()
        .ifPresent(failure -> line("  the last commit failed " + time(failure.last())));
    Counts counts = partition.counts();
    line(
        "  %d queued, %d running, %d parked; done beyond the first unfinished %d, unsaved %d"
            .formatted(
                counts.queued(),
                counts.running(),
                counts.parked(),
                counts.doneBeyond(),
                counts.unsaved()));
    partition.oldest().ifPresent(oldest -> oldest(partition, oldest));
  }

  private void oldest(Partition partition, Unfinished oldest) {
    line(
        "  %s@%d: key %s, attempt %d, polled %s ago"
            .formatted(
                partition.partition(),
                oldest.offset(),
                oldest.key().orElse("none"),
                oldest.attempt(),
                time(oldest.sincePolled())));
    if (oldest.activity() instanceof Running running) {
      line("  in thread " + running.thread());
      stack(running.stack());
    }
  }

  private void stack(List<StackTraceElement> stack) {
    stack.forEach(frame -> line("    at " + frame));
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  private static String committed(Commits commits) {
    return number(commits.offset())
        + commits
            .at()
            .map(at -> " (" + time(at) + ")")
            .orElse(commits.offset().isPresent() ? " (found when assigned)" : "");
  }

  private static String number(OptionalLong number) {
    return number.isPresent() ? Long.toString(number.getAsLong()) : "unknown";
  }

  static String time(Instant at) {
    return at.truncatedTo(ChronoUnit.MILLIS).toString();
  }

  /** Two figures at most: whoever reads wants the size of it. */
  static String time(Duration time) {
    if (time.compareTo(Duration.ofSeconds(1)) < 0) {
      return time.toMillis() + " ms";
    }
    if (time.compareTo(Duration.ofMinutes(2)) < 0) {
      return time.toSeconds() + " s";
    }
    if (time.compareTo(Duration.ofHours(2)) < 0) {
      return time.toMinutes() + " min " + time.toSecondsPart() + " s";
    }
    return time.toHours() + " h " + time.toMinutesPart() + " min";
  }
}
