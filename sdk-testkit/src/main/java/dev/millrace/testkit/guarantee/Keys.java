package dev.millrace.testkit.guarantee;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Deliveries by the keys of a partition; what has no key has no order among others. */
final class Keys {
  /** A key of a partition. */
  record Key(TopicPartition partition, String key) {
    @Override
    public String toString() {
      return partition + " key " + key;
    }
  }

  private Keys() {}

  /** Returns the deliveries of each key by their starts. */
  static Map<Key, List<Delivery>> of(List<Delivery> deliveries) {
    Map<Key, List<Delivery>> keys = new LinkedHashMap<>();
    for (Delivery delivery : deliveries) {
      String key = delivery.key();
      if (key != null) {
        keys.computeIfAbsent(
                new Key(delivery.place().partition(), key), partition -> new ArrayList<>())
            .add(delivery);
      }
    }
    if (keys.isEmpty()) {
      throw new Inconclusive("a history in which a record with a key was handled");
    }
    return keys;
  }
}
