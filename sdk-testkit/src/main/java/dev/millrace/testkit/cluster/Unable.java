package dev.millrace.testkit.cluster;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The one wording for what a kind of cluster cannot do. */
final class Unable {
  private Unable() {}

  static UnsupportedOperationException to(String what, ClusterKind kind, ClusterKind... able) {
    return new UnsupportedOperationException(
        "A Kafka of kind %s cannot %s; of kind %s it can (KafkaCluster.builder().kind(...) or -D%s)"
            .formatted(
                kind.word(),
                what,
                Arrays.stream(able).map(ClusterKind::word).collect(Collectors.joining(" or ")),
                ClusterKind.PROPERTY));
  }
}
