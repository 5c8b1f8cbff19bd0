package dev.millrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
  private static final TopicPartition ORDERS = new TopicPartition("orders", 3);
  private static final ConsumerRecord<String, String> RECORD =
      new ConsumerRecord<>("orders", 3, 17, "k\n\"é", "value");

  @TempDir private Path directory;

  @Test
  void anAttemptIsToldWithoutKafkasOwnRecordToo() {
    try (History history = History.write(file(), "consumer-1")) {
      history.started(RECORD, 2);
      history.started(ORDERS, RECORD.offset(), RECORD.key(), 2);
      history.ended(RECORD, 2, Outcome.HANDLED);
      history.ended(ORDERS, RECORD.offset(), RECORD.key(), 2, Outcome.HANDLED);
    }

    List<Event> events = History.read(file());
    assertThat(events.get(2).record()).isEqualTo(events.get(1).record());
    assertThat(events.get(4).record()).isEqualTo(events.get(3).record());
  }

  @Test
  void readsBackWhatWasWritten() {
    try (History history = History.write(file(), "consumer-1")) {
      history.acked(
          new ProducerRecord<>("orders", "k", "v"), new RecordMetadata(ORDERS, 5, 0, 0, 0, 0));
      history.sendUnknown(new ProducerRecord<>("orders", "k", "v"), new IOException("cut"));
      history.assigned(List.of(ORDERS));
      history.started(RECORD);
      history.ended(RECORD, Outcome.FAILED);
      history.started(RECORD, 2);
      history.ended(RECORD, 2, Outcome.DEAD_LETTERED);
      history.committed(Map.of(ORDERS, new OffsetAndMetadata(18)));
      history.seek(ORDERS, 4);
      history.revoked(List.of(ORDERS));
      history.lost(List.of(ORDERS));
      history.faultBegan("cut");
      history.killPoint("here");
      history.faultHealed("cut");
      history.note("n");
    }

    List<Event> events = History.read(file());
    assertThat(events)
        .extracting(Event::kind)
        .containsExactly(
            Kind.PROCESS_STARTED,
            Kind.ACKED,
            Kind.SEND_UNKNOWN,
            Kind.ASSIGNED,
            Kind.STARTED,
            Kind.ENDED,
            Kind.STARTED,
            Kind.ENDED,
            Kind.COMMITTED,
            Kind.SEEK,
            Kind.REVOKED,
            Kind.LOST,
            Kind.FAULT_BEGAN,
            Kind.KILL_POINT,
            Kind.FAULT_HEALED,
            Kind.NOTE,
            Kind.PROCESS_ENDED);
    String valueId = RecordText.valueId("v");
    assertThat(events.get(1).record()).isEqualTo(new RecordAt(ORDERS, 5, "k", valueId, 0, null));
    assertThat(events.get(2).record())
        .isEqualTo(new RecordAt(new TopicPartition("orders", -1), -1, "k", valueId, 0, null));
    assertThat(events.get(2).text()).contains("cut");
    assertThat(events.get(7).record())
        .isEqualTo(new RecordAt(ORDERS, 17, "k\n\"é", null, 2, Outcome.DEAD_LETTERED));
    assertThat(events.get(8).offsets()).containsExactly(Map.entry(ORDERS, 18L));
    assertThat(events).allMatch(e -> e.process() == ProcessHandle.current().pid());
    assertThat(events).allMatch(e -> e.name().equals("consumer-1"));
    assertThat(events).allMatch(e -> e.thread().equals(Thread.currentThread().getName()));
    assertThat(events.get(7).toString())
        .endsWith("ENDED orders-3@17 key k\n\"é attempt 2 DEAD_LETTERED");
  }

  @Test
  void whatAKilledProcessWroteIsThere() {
    long before = System.nanoTime();
    Path told = directory.resolve("told");
    try (ChildJvm child =
        ChildJvm.start(
            "writer",
            KilledWriter.class,
            List.of("-Xmx64m"),
            List.of(file().toString(), told.toString()),
            Map.of(),
            directory.resolve("out"))) {
      await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(told));
      child.kill();
    }
    long after = System.nanoTime();

    List<Event> events = History.read(file());
    assertThat(events).noneMatch(event -> event.kind() == Kind.PROCESS_ENDED);
    for (String thread : List.of("t0", "t1")) {
      List<Long> numbers =
          events.stream()
              .filter(e -> e.kind() == Kind.NOTE && e.thread().equals(thread))
              .map(event -> Long.valueOf(event.text()))
              .toList();
      assertThat(numbers).isEqualTo(LongStream.range(0, numbers.size()).boxed().toList());
      assertThat(numbers.size())
          .isGreaterThanOrEqualTo(thread.equals("t0") ? KilledWriter.TOLD : 1);
    }
    assertThat(events.stream().filter(e -> e.thread().equals("t0")).count())
        .isGreaterThanOrEqualTo(KilledWriter.TOLD);
    // The monotonic clock is the machine's, not the process's.
    assertThat(events).allMatch(event -> before < event.nanos() && event.nanos() < after);
  }

  @Test
  void tellsATornLineAndWritesOnBehindIt() throws Exception {
    History.write(file(), "first");
    append("{\"kind\":\"NOTE\",\"proc");

    List<Event> torn = History.read(file());
    assertThat(torn).extracting(Event::kind).containsExactly(Kind.PROCESS_STARTED, Kind.TORN);
    assertThat(torn.get(1).name()).isEqualTo("first");
    assertThat(torn.get(1).text()).contains("history.jsonl:2");

    History.write(file(), "second").close();
    assertThat(History.read(file()))
        .extracting(Event::kind)
        .containsExactly(Kind.PROCESS_STARTED, Kind.TORN, Kind.PROCESS_STARTED, Kind.PROCESS_ENDED);
  }

  @Test
  void aWholeEventWithoutItsLineFeedIsTornToo() throws Exception {
    History.write(file(), "first").close();
    String line = Files.readAllLines(file()).get(1);
    append(line);

    assertThat(History.read(file())).extracting(Event::kind).endsWith(Kind.TORN);
  }

  @Test
  void refusesAFileThatIsBrokenInTheMiddle() throws Exception {
    History history = History.write(file(), "first");
    append("not an event\n");
    history.close();

    assertThatThrownBy(() -> History.read(file()))
        .isInstanceOf(TestKitException.class)
        .hasMessageContaining("history.jsonl:2");
  }

  @Test
  void anInterruptDoesNotCloseTheHistory() {
    try (History history = History.write(file(), "consumer-1")) {
      Thread.currentThread().interrupt();
      history.note("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      history.note("after");
    }

    assertThat(History.read(file())).hasSize(4);
  }

  @Test
  void mergesFilesByTheMonotonicClock() {
    try (History one = History.write(directory.resolve("b.jsonl"), "one");
        History other = History.write(directory.resolve("a.jsonl"), "other")) {
      one.note("1");
      other.note("2");
      one.note("3");
    }

    List<Event> events = History.readAll(directory);
    assertThat(events).isSortedAccordingTo(Comparator.comparingLong(Event::nanos));
    assertThat(events.stream().filter(e -> e.kind() == Kind.NOTE).map(Event::text))
        .containsExactly("1", "2", "3");
  }

  @Test
  void whatIsRevokedIsOwnedUntilTheListenerIsDone() {
    try (History history = History.write(file(), "consumer-1")) {
      ConsumerRebalanceListener listener =
          history.recording(
              new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                  history.note("assigned");
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                  history.note("revoked");
                }

                @Override
                public void onPartitionsLost(Collection<TopicPartition> partitions) {
                  history.note("lost");
                }
              });
      listener.onPartitionsAssigned(List.of(ORDERS));
      listener.onPartitionsRevoked(List.of(ORDERS));
      listener.onPartitionsLost(List.of(ORDERS));
      history.recording().onPartitionsLost(List.of(ORDERS));
    }

    assertThat(History.read(file()).stream().map(e -> e.kind() + e.text()))
        .containsExactly(
            "PROCESS_STARTED",
            "ASSIGNED",
            "NOTEassigned",
            "NOTErevoked",
            "REVOKED",
            "LOST",
            "NOTElost",
            "LOST",
            "PROCESS_ENDED");
  }

  @Test
  void keysOfAnyTypeCompareAndValuesStayOut() throws Exception {
    byte[] bytes = "kö".getBytes(StandardCharsets.UTF_8);
    assertThat(RecordText.key(bytes)).isEqualTo(RecordText.key("kö")).isEqualTo("kö");
    assertThat(RecordText.key(new byte[] {(byte) 0xff, 1})).isEqualTo("0xff01");
    assertThat(RecordText.key(null)).isNull();
    assertThat(RecordText.valueId(bytes)).isEqualTo(RecordText.valueId("kö")).hasSize(16);
    assertThat(RecordText.valueId(null)).isEqualTo("null");

    try (History history = History.write(file(), "producer")) {
      history.acked(
          new ProducerRecord<>("orders", "k", "secret"), new RecordMetadata(ORDERS, 0, 0, 0, 0, 0));
    }
    assertThat(Files.readString(file())).doesNotContain("secret");
  }

  @Test
  void threadsDoNotMixTheirLinesAndItIsQuick() throws Exception {
    int each = 50_000;
    int threads = 4;
    long start = System.nanoTime();
    try (History history = History.write(file(), "consumer-1")) {
      List<Thread> writers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Thread writer =
            new Thread(() -> IntStream.range(0, each).forEach(n -> history.started(RECORD)));
        writers.add(writer);
        writer.start();
      }
      for (Thread writer : writers) {
        writer.join();
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "history: %d events in %.2f s, %.0f events/s%n",
        each * threads, seconds, each * threads / seconds);

    assertThat(History.read(file())).hasSize(each * threads + 2);
  }

  private void append(String text) throws IOException {
    Files.writeString(file(), text, StandardOpenOption.APPEND);
  }

  private Path file() {
    return directory.resolve("history.jsonl");
  }
}
