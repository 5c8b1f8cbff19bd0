package dev.millrace;

import dev.millrace.testkit.history.History;
import dev.millrace.testkit.history.Outcome;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;

/**
 * One life of one member of a group: a factory of its own, a history, some work for each record.
 */
final class StormMember implements AutoCloseable {
  private final History history;
  private final KafkaFactory factory;

  StormMember(BrokerFixture broker, Owners owners, Path folder, String name, String settings) {
    history = History.write(folder.resolve(name + ".jsonl"), name);
    factory =
        broker.factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                %s:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 16
                  # No handler is given up: then nothing is handled twice, however slow the machine.
                  drain-timeout: 30s
            """
                    .formatted(name)
                + settings.indent(6),
            owners.registry(name, history));
    factory
        .createConsumer(name, String.class)
        .subscribe(
            (value, context) -> {
              TopicPartition from = new TopicPartition(context.topic(), context.partition());
              history.started(from, context.offset(), context.key());
              TimeUnit.MILLISECONDS.sleep(context.offset() % 100 == 7 ? 100 : 10);
              history.ended(from, context.offset(), context.key(), Outcome.HANDLED);
              owners.handled(from, name);
            });
  }

  @Override
  public void close() {
    factory.close();
    history.close();
  }
}
