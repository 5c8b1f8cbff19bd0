package dev.millrace.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.idempotency.InMemoryIdempotencyStore;
import dev.millrace.testkit.cluster.KafkaCluster;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The README's table of meters must be what running consumers and producers register. */
@Timeout(400)
class ReadmeMetersTest {
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Set<String> TAGS_OF_ALL = Set.of("consumer", "group", "member", "producer");
  private static final Set<String> TAGS_WITH_WORDS = Set.of("outcome", "result");

  @Test
  void theTableNamesEveryMeterWithItsKindAndTags() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (KafkaCluster broker = KafkaCluster.start()) {
      broker.createTopic("orders", 1);
      String yaml =
          Readme.blocks("yaml").get(0).text()
              + "    queue-consumer: { mode: queue, topics: [orders], group-id: queue }\n"
              + "    once-consumer: { topics: [orders], group-id: once, idempotency: {}, circuit-breaker: {} }\n"
              + "    kept-consumer: { topics: [orders], group-id: kept, retry: { topics: [1s], keep-key-order: true } }\n";
      var config =
          ConfigLoader.create()
              .environment(Map.of("KAFKA_BOOTSTRAP", broker.bootstrapServers()))
              .parse("README.yaml", yaml);
      try (KafkaFactory kafka =
          KafkaFactory.builder()
              .meterRegistry(registry)
              .idempotencyStore(InMemoryIdempotencyStore.ofAtMost(1))
              .create(config)) {
        // One of batches has all meters that others have, and one more.
        kafka.createConsumer("order-consumer", String.class).subscribeBatch(orders -> {});
        // And a queue has one of its own.
        kafka.createConsumer("queue-consumer", String.class).subscribe((order, context) -> {});
        // And one that handles messages once, and has a circuit breaker.
        kafka.createConsumer("once-consumer", String.class).subscribe((order, context) -> {});
        // And one whose keys keep their order.
        kafka.createConsumer("kept-consumer", String.class).subscribe((order, context) -> {});
        kafka.createProducer("order-producer", String.class);
        // Some come with the first partition, one after the other.
        await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(() -> assertThat(registered(registry)).isEqualTo(documented()));
      }
    }
  }

  /** Each meter's name and kind, with its own tags and the words they may hold. */
  private static Map<String, Set<String>> registered(SimpleMeterRegistry registry) {
    Map<String, Set<String>> meters = new TreeMap<>();
    for (Meter meter : registry.getMeters()) {
      Meter.Id id = meter.getId();
      if (id.getName().startsWith("millrace.")) {
        String kind = id.getType().name().toLowerCase(Locale.ROOT);
        Set<String> words =
            meters.computeIfAbsent(id.getName() + " " + kind, name -> new TreeSet<>());
        for (Tag tag : id.getTags()) {
          if (!TAGS_OF_ALL.contains(tag.getKey())) {
            words.add(tag.getKey());
          }
          if (TAGS_WITH_WORDS.contains(tag.getKey())) {
            words.add(tag.getValue());
          }
        }
      }
    }
    return meters;
  }

  private static Map<String, Set<String>> documented() {
    Map<String, Set<String>> meters = new TreeMap<>();
    List<List<String>> rows = new ArrayList<>(Readme.table("## Meters"));
    rows.addAll(Readme.table("### Meters of producers"));
    for (List<String> row : rows) {
      Set<String> words =
          CODE.matcher(row.get(2))
              .results()
              .map(word -> word.group(1))
              .collect(Collectors.toCollection(TreeSet::new));
      meters.put(row.get(0).replace("`", "") + " " + row.get(1), words);
    }
    return meters;
  }
}
