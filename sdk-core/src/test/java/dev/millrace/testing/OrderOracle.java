package dev.millrace.testing;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Knows what has been resolved: handled, or sent to the dead letters. Values are {@code
 * key:number:text}, the numbers of a key in the order in which it was written.
 */
final class OrderOracle {
  private final Map<String, BitSet> resolved = new HashMap<>();
  private final List<String> story = new ArrayList<>();
  private @Nullable String violation;

  /** A record may be handled again; but never before all that its key had before it. */
  void started(String value) {
    String[] parts = value.split(":", 3);
    story.add(parts[0] + " " + parts[1] + " starts");
    int missing = of(parts[0]).nextClearBit(0);
    if (missing < Integer.parseInt(parts[1]) && violation == null) {
      violation =
          "%s is handled before number %d of its key is resolved: %s"
              .formatted(
                  value,
                  missing,
                  story.stream().filter(line -> line.startsWith(parts[0] + " ")).toList());
    }
  }

  /** Not called by a handler, whose failures are but records' failures. */
  void requireOrder() {
    if (violation != null) {
      throw new AssertionError(violation);
    }
  }

  void resolved(String value) {
    String[] parts = value.split(":", 3);
    story.add(parts[0] + " " + parts[1] + " is resolved");
    of(parts[0]).set(Integer.parseInt(parts[1]));
  }

  /**
   * @param sent how many there were of each key
   */
  void requireAllResolved(int[] sent) {
    for (int key = 0; key < sent.length; key++) {
      int count = of("key-" + key).cardinality();
      if (count != sent[key]) {
        throw new AssertionError(
            "Of key-%d %d records were sent and %d resolved.".formatted(key, sent[key], count));
      }
    }
  }

  private BitSet of(String key) {
    return resolved.computeIfAbsent(key, first -> new BitSet());
  }
}
