package dev.millrace.testkit.junit;

import dev.millrace.testkit.cluster.ClusterKind;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.cluster.KafkaClusterBuilder;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The Kafka of a run, or why there is none: a start that failed is not tried again by every class.
 *
 * <p>Immutable. JUnit closes it at the end of the run.
 *
 * @param outcome returns it, or throws what its start threw
 */
record SharedKafka(Supplier<KafkaCluster> outcome, Runnable end) implements AutoCloseable {
  /** Starts what the run's parameters say, by name. */
  static SharedKafka start(Function<String, Optional<String>> parameters) {
    try {
      KafkaCluster kafka = builder(parameters).start();
      return new SharedKafka(() -> kafka, kafka::close);
    } catch (RuntimeException e) {
      return new SharedKafka(
          () -> {
            throw e;
          },
          () -> {});
    }
  }

  private static KafkaClusterBuilder builder(Function<String, Optional<String>> parameters) {
    ClusterKind kind =
        parameters.apply(ClusterKind.PROPERTY).map(ClusterKind::of).orElse(ClusterKind.EMBEDDED);
    KafkaClusterBuilder builder = KafkaCluster.builder().kind(kind);
    parameters.apply(KafkaTest.NODES_PROPERTY).map(SharedKafka::number).ifPresent(builder::nodes);
    if (kind == ClusterKind.EXTERNAL) {
      parameters.apply(ClusterKind.BOOTSTRAP_SERVERS_PROPERTY).ifPresent(builder::bootstrapServers);
    }
    return builder;
  }

  private static int number(String value) {
    try {
      return Integer.parseInt(value.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s is '%s', but must be a number from 1 to 9".formatted(KafkaTest.NODES_PROPERTY, value),
          e);
    }
  }

  @Override
  public void close() {
    end.run();
  }
}
