package dev.millrace.examples.quickstart;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/**
 * What came out.
 *
 * @param published orders that the broker has acknowledged, without the one that can't be read
 * @param orders what the handlers saw
 * @param deadLetters the dead-letter topic's records
 * @param lag records that the group has not committed
 * @param took from the first send to the last handler's end
 * @param latencies each order's time from its send to its handler's end
 */
record Summary(
    int published,
    OrderChecks.Result orders,
    List<ConsumerRecord<String, String>> deadLetters,
    long lag,
    Duration took,
    Latencies latencies) {

  /** Returns what did not hold; empty when all is well. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (orders.lost() > 0) {
      problems.add(orders.lost() + " orders were published and never handled");
    }
    if (orders.duplicates() > 0) {
      problems.add(orders.duplicates() + " orders were handled again");
    }
    if (orders.violations() > 0) {
      problems.add(orders.violations() + " times out of order, first: " + orders.firstViolation());
    }
    if (deadLetters.size() != 1) {
      problems.add("1 dead letter was expected, not " + deadLetters.size());
    }
    if (lag != 0) {
      problems.add(lag + " records are not committed");
    }
    return problems;
  }

  String text() {
    StringBuilder text = new StringBuilder("\n");
    line(text, "published", published + " orders and 1 that is no JSON");
    line(text, "handled", Integer.toString(orders.handled()));
    line(text, "dead-lettered", Integer.toString(deadLetters.size()));
    line(text, "rate", Math.round(orders.handled() * 1e9 / took.toNanos()) + " orders/s");
    line(
        text,
        "send to handled",
        "p50 %d ms, p99 %d ms, all sent at once"
            .formatted(latencies.percentile(0.5), latencies.percentile(0.99)));
    line(text, "order violations", Integer.toString(orders.violations()));
    line(text, "duplicates", Integer.toString(orders.duplicates()));
    line(text, "lost", Integer.toString(orders.lost()));
    line(text, "committed lag", Long.toString(lag));
    for (ConsumerRecord<String, String> letter : deadLetters) {
      text.append(
          "%nDead letter '%s' of %s in %s:%n"
              .formatted(letter.value(), letter.key(), letter.topic()));
      for (Header header : letter.headers()) {
        line(text, header.key(), new String(header.value(), StandardCharsets.UTF_8));
      }
    }
    problems().forEach(problem -> text.append("%nFAILED: %s".formatted(problem)));
    return text.append(problems().isEmpty() ? "\nAll checks held." : "").toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "  %-28s %s%n", name, value));
  }
}
