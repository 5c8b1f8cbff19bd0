package dev.millrace.testkit.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.testkit.Clients;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.history.Event;
import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.internal.ChildJvm;
import dev.millrace.testkit.probe.GroupProbe;
import dev.millrace.testkit.probe.TopicProbe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * Puts consumers through faults, each at a moment that is awaited: a kill in a slow handler, a kill
 * before the next poll, a member that joins while handlers run, a member that leaves.
 */
final class FaultScript implements AutoCloseable {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final KafkaCluster kafka;
  private final String topic;
  private final String group;
  private final boolean naive;
  private final Path directory;
  private final Gates gates;
  private final GroupProbe probe;
  private final History sends;
  private final KafkaProducer<String, String> producer;
  private final List<ChildJvm> children = new ArrayList<>();

  FaultScript(KafkaCluster kafka, String topic, String group, boolean naive, Path directory) {
    this.kafka = kafka;
    this.topic = topic;
    this.group = group;
    this.naive = naive;
    this.directory = directory;
    gates = new Gates(directory);
    probe = GroupProbe.of(kafka.bootstrapServers(), group, topic);
    sends = History.write(directory.resolve("producer.jsonl"), "producer");
    producer = Clients.producer(kafka, Map.of());
  }

  Evidence run() throws Exception {
    killInASlowHandler();
    killBeforeTheNextPoll();
    ChildJvm owner = start("consumer-3");
    awaitCaughtUp("consumer-3");
    ChildJvm guest = joinWhileHandlersRun();
    leave(guest);
    assertThat(owner.stop(LONG)).isTrue();
    sends.close();
    return Evidence.builder()
        .history(History.readAll(directory))
        .source(topic, TopicProbe.of(kafka.bootstrapServers(), topic).readAll())
        .offsets(TopicProbe.of(kafka.bootstrapServers(), topic).offsets())
        .commits(probe.commits())
        .build();
  }

  /** The naive one's commits pass the record whose handler runs, and only then it is killed. */
  private void killInASlowHandler() throws Exception {
    gates.shut(PlainConsumer.SLOW_GATE);
    send(0, "k0", 5);
    long slow = send(0, PlainConsumer.SLOW_KEY, 1);
    send(0, "k0", 5);
    send(1, "k1", 10);
    ChildJvm consumer = start("consumer-1");
    await("the slow handler")
        .until(() -> events("consumer-1", Kind.STARTED).stream().anyMatch(e -> at(e, 0, slow)));
    if (naive) {
      awaitLagZero();
    }
    kill(consumer);
    gates.open(PlainConsumer.SLOW_GATE);
  }

  /** All it was given is handled, and it had no occasion to commit by itself. */
  private void killBeforeTheNextPoll() throws Exception {
    gates.shut(PlainConsumer.POLL_GATE);
    send(0, "k0", 10);
    send(1, "k1", 10);
    ChildJvm consumer = start("consumer-2");
    await("its first batch handled")
        .until(
            () ->
                !events("consumer-2", Kind.KILL_POINT).isEmpty()
                    && events("consumer-2", Kind.ENDED).size() >= 10);
    kill(consumer);
    gates.open(PlainConsumer.POLL_GATE);
  }

  /** The naive one gives a partition away while records of it wait in its pool. */
  private ChildJvm joinWhileHandlersRun() throws Exception {
    gates.shut(PlainConsumer.gateOf("consumer-3"));
    int before = events("consumer-3", Kind.STARTED).size();
    for (int i = 0; i < 6; i++) {
      send(0, "k0", 1);
      send(1, "k1", 1);
    }
    await("handlers that hang")
        .until(() -> events("consumer-3", Kind.STARTED).size() == before + (naive ? 4 : 1));
    if (naive) {
      awaitLagZero();
    }
    ChildJvm guest = start("consumer-4");
    if (naive) {
      awaitAssigned("consumer-4");
      send(0, "k0", 2);
      send(1, "k1", 2);
      await("later records at the new owner")
          .until(() -> !events("consumer-4", Kind.STARTED).isEmpty());
      gates.open(PlainConsumer.gateOf("consumer-3"));
      await("all that waited in the pool")
          .until(() -> events("consumer-3", Kind.STARTED).size() >= before + 12);
    } else {
      await("a rebalance that waits for the handler").until(this::rebalances);
      gates.open(PlainConsumer.gateOf("consumer-3"));
      awaitAssigned("consumer-4");
      send(0, "k0", 2);
      send(1, "k1", 2);
    }
    awaitCaughtUp("consumer-3");
    awaitCaughtUp("consumer-4");
    return guest;
  }

  private void leave(ChildJvm guest) throws Exception {
    assertThat(guest.stop(LONG)).isTrue();
    long first = send(0, "k0", 2);
    long other = send(1, "k1", 2);
    await("the records of both partitions")
        .until(
            () -> {
              List<Event> ended = events("consumer-3", Kind.ENDED);
              return ended.stream().anyMatch(e -> at(e, 0, first))
                  && ended.stream().anyMatch(e -> at(e, 1, other));
            });
    awaitCaughtUp("consumer-3");
  }

  private ChildJvm start(String name) {
    ChildJvm child =
        ChildJvm.start(
            name,
            PlainConsumer.class,
            List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            List.of(
                Boolean.toString(naive),
                kafka.bootstrapServers(),
                topic,
                group,
                directory.toString(),
                name),
            Map.of(),
            directory.resolve(name + ".log"));
    children.add(child);
    return child;
  }

  /** The only member; it is put out of the group at once, not when its session is over. */
  private void kill(ChildJvm consumer) throws Exception {
    consumer.kill();
    kafka
        .admin()
        .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
        .all()
        .get();
  }

  /** Returns the offset of the last one. */
  private long send(int partition, String key, int count) throws Exception {
    long offset = -1;
    for (int i = 0; i < count; i++) {
      ProducerRecord<String, String> record =
          new ProducerRecord<>(topic, partition, key, key + "/" + i);
      var answer = producer.send(record).get();
      sends.acked(record, answer);
      offset = answer.offset();
    }
    return offset;
  }

  private boolean rebalances() throws Exception {
    return kafka.admin().describeConsumerGroups(List.of(group)).all().get().get(group).groupState()
        == GroupState.PREPARING_REBALANCE;
  }

  private void awaitAssigned(String name) {
    await("partitions for " + name)
        .until(() -> events(name, Kind.ASSIGNED).stream().anyMatch(e -> !e.offsets().isEmpty()));
  }

  private void awaitLagZero() {
    await("commits at the end").until(() -> probe.lag().values().stream().allMatch(l -> l == 0));
  }

  /** Nothing is left to read, and all that was started ended. */
  private void awaitCaughtUp(String name) {
    awaitAssigned(name);
    awaitLagZero();
    await("ends of " + name)
        .until(
            () -> places(events(name, Kind.ENDED)).containsAll(places(events(name, Kind.STARTED))));
  }

  private ConditionFactory await(String what) {
    return Awaitility.await(what + (naive ? " (naive)" : " (correct)"))
        .atMost(LONG)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20));
  }

  private List<Event> events(String name, Kind kind) {
    Path file = directory.resolve(name + ".jsonl");
    return Files.exists(file)
        ? History.read(file).stream().filter(event -> event.kind() == kind).toList()
        : List.of();
  }

  private static Set<Place> places(List<Event> events) {
    return events.stream()
        .map(e -> new Place(e.record().partition(), e.record().offset()))
        .collect(Collectors.toSet());
  }

  private static boolean at(Event event, int partition, long offset) {
    return event.record().partition().partition() == partition && event.record().offset() == offset;
  }

  @Override
  public void close() {
    children.forEach(ChildJvm::close);
    producer.close();
    sends.close();
  }
}
