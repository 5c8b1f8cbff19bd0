package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import dev.millrace.testkit.history.RecordAt;
import dev.millrace.testkit.probe.Commit;
import dev.millrace.testkit.probe.Offsets;
import dev.millrace.testkit.probe.OpenTransaction;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** What a broken consumer, or a broken broker, would have left of a correct run. */
record Corruption(String name, Consumer<Run> corrupt, Set<String> caughtBy) {

  /** All there are; {@code caughtBy} names the guarantees that must go red. */
  static List<Corruption> all() {
    return List.of(
        corruption(
            "a handler never ended",
            run -> {
              Event end = middle(run, Kind.ENDED);
              run.events.removeIf(event -> event.kind() == Kind.ENDED && same(event, end));
            },
            "no loss",
            "commits justified"),
        corruption(
            "a record was never handled",
            run -> {
              Event start = middle(run, Kind.STARTED);
              run.events.removeIf(event -> event.kind() != Kind.ACKED && same(event, start));
            },
            "no loss",
            "commits justified"),
        corruption(
            "a failure was taken for an end",
            run -> {
              Event end = middle(run, Kind.ENDED);
              run.events.replaceAll(
                  event ->
                      event.kind() == Kind.ENDED && same(event, end)
                          ? with(event, Outcome.FAILED)
                          : event);
            },
            "no loss",
            "commits justified"),
        corruption(
            "two of a key were swapped",
            run -> {
              // Two whole deliveries, one behind the other in one process, exchange their records.
              List<Event> starts = of(run, Kind.STARTED).toList();
              for (Event first : starts) {
                for (Event second : starts) {
                  if (first.nanos() < second.nanos() && swappable(run, first, second)) {
                    RecordAt one = first.record();
                    RecordAt two = second.record();
                    run.events.replaceAll(
                        e ->
                            e.kind() == Kind.ACKED
                                ? e
                                : same(e, first) ? at(e, two) : same(e, second) ? at(e, one) : e);
                    return;
                  }
                }
              }
              throw new AssertionError("This run has no two to swap");
            },
            "order per key"),
        corruption(
            "a record started before the one ahead ended",
            run -> {
              Keys.Key any = null;
              for (Delivery delivery : run.evidence().deliveries()) {
                Keys.Key key = new Keys.Key(delivery.place().partition(), delivery.key());
                Delivery next = next(run, key, delivery);
                if (next != null && delivery.end() != null) {
                  replace(run, delivery.end(), moved(delivery.end(), next.start().nanos() + 1));
                  any = key;
                  break;
                }
              }
              Objects.requireNonNull(any, "This run has no two of a key");
            },
            "no overlap per key"),
        corruption(
            "a record was handled twice by its owner",
            run -> {
              Event end = finalEndWithoutBreak(run);
              run.events.add(again(end, Kind.STARTED, 100));
              run.events.add(again(end, Kind.ENDED, 200));
            },
            "bounded redo",
            "order per key"),
        corruption(
            "much was handled again after a loss",
            run -> {
              Event last = run.events.get(run.events.size() - 1);
              long after = last.nanos() + 1_000_000;
              TopicPartition partition = Story.partition(0);
              run.events.add(plain(last, Kind.PROCESS_STARTED, "late", after, null, Map.of()));
              run.events.add(
                  plain(last, Kind.ASSIGNED, "late", after + 1, null, Map.of(partition, -1L)));
              for (long offset = 0; offset < CorrectRun.RECORDS; offset++) {
                RecordAt record = record(run, partition, offset);
                run.events.add(
                    plain(last, Kind.STARTED, "late", after + 10 * offset + 2, record, Map.of()));
                run.events.add(
                    plain(
                        last, Kind.ENDED, "late", after + 10 * offset + 3, done(record), Map.of()));
              }
            },
            "bounded redo"),
        corruption(
            "a commit went too far",
            run -> {
              Commit first = run.commits.get(0);
              replace(run, first, with(first, CorrectRun.RECORDS, first.timestamp()));
            },
            "commits justified",
            "commits monotonic"),
        corruption(
            "a commit came too early",
            run -> {
              Commit commit = run.commits.get(run.commits.size() / 2);
              replace(run, commit, with(commit, commit.offset(), commit.timestamp() - 100_000));
            },
            "commits justified"),
        corruption(
            "a commit went back",
            run -> {
              Commit last = run.commits.get(run.commits.size() - 1);
              run.commits.add(next(run, last, 0));
            },
            "commits monotonic"),
        corruption(
            "a commit went beyond the end",
            run -> {
              Commit last = run.commits.get(run.commits.size() - 1);
              run.commits.add(next(run, last, CorrectRun.RECORDS + 1));
            },
            "commits monotonic"),
        corruption(
            "who committed owned nothing",
            run -> {
              Commit first = run.commits.get(0);
              run.events.removeIf(
                  event ->
                      event.kind() == Kind.ASSIGNED
                          && event.offsets().containsKey(first.partition())
                          && event.micros() < first.timestamp() * 1_000);
            },
            "commits by owner"),
        corruption(
            "a client committed what another owned",
            run -> {
              Event committed = middle(run, Kind.COMMITTED);
              replace(
                  run,
                  committed,
                  plain(
                      committed,
                      Kind.COMMITTED,
                      "stranger",
                      committed.nanos(),
                      null,
                      committed.offsets()));
            },
            "commits by owner"),
        corruption("an acknowledged record is gone", run -> run.source.remove(7), "acked in log"),
        corruption(
            "an acknowledged record has another value",
            run -> {
              ConsumerRecord<byte[], byte[]> old = run.source.get(7);
              run.source.set(
                  7,
                  new ConsumerRecord<>(
                      old.topic(), old.partition(), old.offset(), old.key(), new byte[] {1}));
            },
            "acked in log",
            "exactly-once copy"),
        corruption(
            "two sends got one place",
            run -> {
              List<Event> acked = of(run, Kind.ACKED).toList();
              replace(run, acked.get(1), at(acked.get(1), acked.get(0).record()));
            },
            "acked in log"),
        corruption(
            "the last commits are missing",
            run -> run.commits.removeIf(commit -> commit.offset() == CorrectRun.RECORDS),
            "drained after heal"),
        corruption(
            "the last commits came late",
            run ->
                run.commits.replaceAll(
                    commit ->
                        commit.offset() == CorrectRun.RECORDS
                            ? with(commit, commit.offset(), commit.timestamp() + 600_000)
                            : commit),
            "drained after heal"),
        corruption("an output is missing", run -> run.sink.remove(3), "exactly-once copy"),
        corruption(
            "an output came twice", run -> run.sink.add(run.sink.get(3)), "exactly-once copy"),
        corruption(
            "an output has no input",
            run ->
                run.sink.add(new ConsumerRecord<>("sink", 0, 999, new byte[] {1}, new byte[] {2})),
            "exactly-once copy"),
        corruption(
            "a transaction is open",
            run ->
                run.open.add(
                    new OpenTransaction(
                        "t", 1, TransactionState.ONGOING, Set.of(Story.partition(0)))),
            "transactions closed"),
        corruption(
            "a partition waits for a transaction",
            run -> run.ends.put(Story.partition(1), new Offsets(0, 5, CorrectRun.RECORDS)),
            "transactions closed"));
  }

  private static Corruption corruption(String name, Consumer<Run> corrupt, String... caughtBy) {
    return new Corruption(name, corrupt, Set.of(caughtBy));
  }

  @Override
  public String toString() {
    return name;
  }

  void apply(Run run) {
    corrupt.accept(run);
    run.events.sort(Comparator.comparingLong(Event::nanos));
  }

  private static Stream<Event> of(Run run, Kind kind) {
    return run.events.stream().filter(event -> event.kind() == kind);
  }

  private static Event middle(Run run, Kind kind) {
    List<Event> all = of(run, kind).toList();
    return all.get(all.size() / 2);
  }

  private static boolean same(Event event, Event other) {
    return event.record() != null && place(event).equals(place(other));
  }

  private static Place place(Event event) {
    return new Place(event.record().partition(), event.record().offset());
  }

  /**
   * Whether both are of one key, each handled once, the second in the life of the first's owner.
   */
  private static boolean swappable(Run run, Event first, Event second) {
    Predicate<Event> one = e -> e.kind() == Kind.STARTED && same(e, first);
    Predicate<Event> two = e -> e.kind() == Kind.STARTED && same(e, second);
    return first.record().partition().equals(second.record().partition())
        && Objects.equals(first.record().key(), second.record().key())
        && run.events.stream().filter(one).count() == 1
        && run.events.stream().filter(two).count() == 1;
  }

  private static Delivery next(Run run, Keys.Key key, Delivery delivery) {
    return Keys.of(run.evidence().deliveries()).get(key).stream()
        .filter(
            d ->
                d.incarnation().toString().equals(delivery.incarnation().toString())
                    && d.start().nanos() > delivery.start().nanos()
                    && delivery.incarnation().last().nanos() > d.start().nanos())
        .findFirst()
        .orElse(null);
  }

  /** The final end of a record after which its owner goes on undisturbed for a while. */
  private static Event finalEndWithoutBreak(Run run) {
    List<Event> ends = of(run, Kind.ENDED).filter(event -> event.record().isFinal()).toList();
    return ends.stream()
        .filter(
            end ->
                ends.stream().filter(event -> same(event, end)).count() == 1
                    && of(run, Kind.STARTED).filter(e -> same(e, end)).count() == 1
                    && run.evidence().timeline().ownerships(end.record().partition()).stream()
                        .anyMatch(
                            owned ->
                                owned.begin().name().equals(end.name())
                                    && owned.covers(end.nanos())
                                    && owned.covers(end.nanos() + 200)))
        .findFirst()
        .orElseThrow();
  }

  private static void replace(Run run, Event old, Event by) {
    run.events.set(run.events.indexOf(old), by);
  }

  private static void replace(Run run, Commit old, Commit by) {
    run.commits.set(run.commits.indexOf(old), by);
  }

  private static Commit with(Commit commit, long offset, long timestamp) {
    return Story.commit(commit.partition().partition(), offset, timestamp, commit.place());
  }

  private static Commit next(Run run, Commit last, long offset) {
    return Story.commit(last.partition().partition(), offset, last.timestamp(), run.commits.size());
  }

  private static Event again(Event end, Kind kind, long later) {
    RecordAt record = kind == Kind.ENDED ? done(end.record()) : record(end.record(), 1, null);
    return new Event(
        kind,
        end.process(),
        end.name(),
        end.thread(),
        end.nanos() + later,
        end.micros(),
        record,
        Map.of(),
        "");
  }

  private static Event moved(Event event, long nanos) {
    return new Event(
        event.kind(),
        event.process(),
        event.name(),
        event.thread(),
        nanos,
        event.micros(),
        event.record(),
        event.offsets(),
        "");
  }

  /** The same event of another record: its place; attempt and outcome stay. */
  private static Event at(Event event, RecordAt other) {
    RecordAt own = event.record();
    RecordAt changed =
        new RecordAt(
            other.partition(),
            other.offset(),
            other.key(),
            own.valueId(),
            own.attempt(),
            own.outcome());
    return plain(event, event.kind(), event.name(), event.nanos(), changed, Map.of());
  }

  private static Event with(Event event, Outcome outcome) {
    RecordAt changed = record(event.record(), event.record().attempt(), outcome);
    return plain(event, event.kind(), event.name(), event.nanos(), changed, Map.of());
  }

  private static Event plain(
      Event like,
      Kind kind,
      String name,
      long nanos,
      RecordAt record,
      Map<TopicPartition, Long> offsets) {
    return new Event(
        kind, like.process(), name, like.thread(), nanos, like.micros(), record, offsets, "");
  }

  private static RecordAt record(Run run, TopicPartition partition, long offset) {
    return of(run, Kind.STARTED)
        .map(Event::record)
        .filter(record -> record.partition().equals(partition) && record.offset() == offset)
        .findFirst()
        .map(record -> record(record, 1, null))
        .orElseThrow();
  }

  private static RecordAt done(RecordAt record) {
    return record(record, 1, Outcome.HANDLED);
  }

  private static RecordAt record(RecordAt record, int attempt, Outcome outcome) {
    return new RecordAt(record.partition(), record.offset(), record.key(), null, attempt, outcome);
  }
}
