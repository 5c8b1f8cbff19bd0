package dev.millrace.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Runs two test classes in a run of their own and looks at what their tests were given. */
class KafkaTestExtensionTest {
  private static final Queue<Given> GIVEN = new ConcurrentLinkedQueue<>();

  @Test
  void sharesTheBrokerAndKeepsTestsApart() {
    TestExecutionSummary summary = Launch.inParallel(AtOnce.class, OneByOne.class);

    assertThat(summary.getFailures()).extracting(f -> f.getException()).isEmpty();
    assertThat(summary.getTestsSucceededCount()).isEqualTo(4);
    assertThat(GIVEN).extracting(Given::topic).hasSize(4).doesNotHaveDuplicates();
    assertThat(GIVEN).extracting(Given::groupId).doesNotHaveDuplicates();
    KafkaCluster shared = GIVEN.element().kafka();
    assertThat(GIVEN).extracting(Given::kafka).containsOnly(shared);
    assertThatIllegalStateException().as("closed with its run").isThrownBy(shared::startBroker);
  }

  /** What a test was given and made of it. */
  private record Given(KafkaCluster kafka, String topic, String groupId) {
    static Given use(KafkaCluster kafka, TestTopics topics) {
      String topic = topics.create("orders", 2);
      kafka.createTopic(topic + ".dlq", 1);
      Given given = new Given(kafka, topic, topics.groupId("orders"));
      GIVEN.add(given);
      return given;
    }
  }

  @KafkaTest
  @Execution(ExecutionMode.CONCURRENT)
  static class AtOnce {
    private static final CyclicBarrier BOTH = new CyclicBarrier(2);

    @Test
    void one(KafkaCluster kafka, TestTopics topics) throws Exception {
      check(kafka, topics);
    }

    @Test
    void other(KafkaCluster kafka, TestTopics topics) throws Exception {
      check(kafka, topics);
    }

    private static void check(KafkaCluster kafka, TestTopics topics) throws Exception {
      Given given = Given.use(kafka, topics);
      BOTH.await(120, TimeUnit.SECONDS);
      assertThat(kafka.topicNames()).contains(given.topic(), given.topic() + ".dlq");
    }
  }

  @KafkaTest
  @Execution(ExecutionMode.SAME_THREAD)
  static class OneByOne {
    private static final Queue<Given> EARLIER = new ConcurrentLinkedQueue<>();

    private static TestTopics ofTheClass;

    private final TestTopics ofTheInstance;
    private TestTopics ofTheSetUp;

    OneByOne(TestTopics topics) {
      ofTheInstance = topics;
    }

    @BeforeAll
    static void start(TestTopics topics) {
      ofTheClass = topics;
      topics.create("of-the-class", 1);
    }

    @BeforeEach
    void setUp(TestTopics topics) {
      ofTheSetUp = topics;
    }

    @Test
    void one(KafkaCluster kafka, TestTopics topics) {
      check(kafka, topics);
    }

    @Test
    void other(KafkaCluster kafka, TestTopics topics) {
      check(kafka, topics);
    }

    private void check(KafkaCluster kafka, TestTopics topics) {
      assertThat(topics).isSameAs(ofTheInstance).isSameAs(ofTheSetUp).isNotSameAs(ofTheClass);
      assertThat(kafka.topicNames()).contains(ofTheClass.name("of-the-class"));
      for (Given gone : EARLIER) {
        assertThat(kafka.topicNames()).doesNotContain(gone.topic(), gone.topic() + ".dlq");
      }
      EARLIER.add(Given.use(kafka, topics));
    }
  }
}
