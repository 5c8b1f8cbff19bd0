package dev.millrace.internal.producer;

import dev.millrace.internal.metrics.ClientMeters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The Kafka clients of a named producer. Any thread.
 *
 * <p>Invariant: all records of a key go to the same one, whatever their topic, so the order of a
 * key is that of one client. So do records without a key that say their partition.
 */
final class Instances {
  private final List<ProducerInstance> all;
  private final AtomicInteger keyless = new AtomicInteger();

  private Instances(List<ProducerInstance> all) {
    this.all = List.copyOf(all);
  }

  /** Makes all or none. Of several, each has its number, from 1, at the end of its client id. */
  static Instances open(
      String name,
      int count,
      Map<String, Object> settings,
      ClientMeters meters,
      Runnable onReplacement) {
    List<ProducerInstance> made = new ArrayList<>();
    try {
      for (int number = 1; number <= count; number++) {
        Map<String, Object> own = new HashMap<>(settings);
        if (count > 1) {
          Object clientId = settings.get(CommonClientConfigs.CLIENT_ID_CONFIG);
          own.put(CommonClientConfigs.CLIENT_ID_CONFIG, clientId + "-" + number);
        }
        made.add(
            new ProducerInstance(name, () -> BoundClient.make(name, own, meters), onReplacement));
      }
    } catch (RuntimeException e) {
      made.forEach(instance -> instance.close(Duration.ZERO));
      throw e;
    }
    return new Instances(made);
  }

  ProducerInstance of(ProducerRecord<byte[], byte[]> message) {
    return all.size() == 1 ? all.get(0) : all.get(Math.floorMod(stripe(message), all.size()));
  }

  private int stripe(ProducerRecord<byte[], byte[]> message) {
    if (message.key() != null) {
      int hash = Arrays.hashCode(message.key());
      return hash ^ (hash >>> 16); // The low bits alone are those of the key's last byte.
    }
    return message.partition() != null ? message.partition() : keyless.getAndIncrement();
  }

  int count() {
    return all.size();
  }

  void each(Consumer<ProducerInstance> action) {
    all.forEach(action);
  }
}
