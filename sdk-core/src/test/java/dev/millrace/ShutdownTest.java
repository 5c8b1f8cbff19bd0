package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millrace.config.ConfigLoader;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import dev.millrace.testkit.worker.WorkerProcess;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a factory does when its JVM is told to end. */
@KafkaTest
class ShutdownTest {
  private final BrokerFixture broker;

  ShutdownTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
  }

  @AfterEach
  void close() {
    broker.close();
  }

  /** The second service is in the midst of its own close, which the end of the JVM waits for. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void terminatedWhileAHandlerRunsItCommitsAndLeaves(boolean closesItself) throws Exception {
    broker.create(1);
    broker.send("a", "runs");
    try (WorkerProcess service =
        WorkerProcess.of(TerminatedService.class)
            .jvmOption("-Xmx256m")
            .jvmOption("-XX:TieredStopAtLevel=1")
            .argument("kafka", broker.kafka().bootstrapServers())
            .argument("topic", broker.topic())
            .argument("group", broker.group())
            .argument("closes-itself", Boolean.toString(closesItself))
            .start()) {
      service.awaitReady(SOON);

      assertThat(ProcessHandle.of(service.pid()).orElseThrow().destroy()).isTrue();
      await().atMost(SOON).until(() -> !service.isAlive());

      assertThat(broker.committed(0)).as(service.outputTail()).isEqualTo(1);
      assertThat(
              broker
                  .kafka()
                  .admin()
                  .describeConsumerGroups(List.of(broker.group()))
                  .all()
                  .get()
                  .get(broker.group())
                  .members())
          .isEmpty();
    }
  }

  @Test
  void aFactoryThatIsClosedBeforeIsForgotten() {
    WeakReference<KafkaFactory> closed = closedFactory();

    await()
        .atMost(SOON)
        .until(
            () -> {
              System.gc();
              return closed.get() == null;
            });
  }

  private static WeakReference<KafkaFactory> closedFactory() {
    KafkaFactory factory =
        KafkaFactory.builder()
            .closeOnShutdown()
            .create(
                ConfigLoader.create()
                    .parse("test", "kafka: { common: { bootstrap-servers: 'a:1' } }"));
    factory.close();
    return new WeakReference<>(factory);
  }
}
