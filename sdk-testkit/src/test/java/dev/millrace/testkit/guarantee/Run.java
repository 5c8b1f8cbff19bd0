package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** A whole run as it can be corrupted: everything that evidence is made of. */
final class Run {
  final List<Event> events;
  final List<Commit> commits;
  final List<ConsumerRecord<byte[], byte[]>> source;
  final List<ConsumerRecord<byte[], byte[]>> sink = new ArrayList<>();
  final Map<TopicPartition, Offsets> ends;
  final List<OpenTransaction> open = new ArrayList<>();

  /** Takes over what the story tells, and copies each record to a sink. */
  Run(Story story) {
    events = new ArrayList<>(story.events);
    commits = new ArrayList<>(story.commits);
    source = new ArrayList<>(story.records);
    ends = new HashMap<>(story.ends);
    for (ConsumerRecord<byte[], byte[]> record : source) {
      sink.add(new ConsumerRecord<>("sink", 0, sink.size(), record.key(), record.value()));
    }
  }

  Evidence evidence() {
    return Evidence.builder()
        .history(events)
        .source(Story.TOPIC, source)
        .sink("sink", sink)
        .offsets(ends)
        .commits(commits)
        .openTransactions(open)
        .build();
  }
}
