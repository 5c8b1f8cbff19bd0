package dev.millrace.testkit.junit;

import dev.millrace.testkit.cluster.KafkaCluster;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that needs Kafka. Its constructor, its tests and their set-up methods may take
 *
 * <ul>
 *   <li>a {@link KafkaCluster}: one shared by all test classes of the run, started for the first of
 *       them and closed at the end of the run. It belongs to all: do not close or stop it, start
 *       your own for that;
 *   <li>{@link TestTopics}: names of the running test's own, so that tests may run at the same time
 *       on the shared broker. Given to a method that runs once for the class, they last as long as
 *       the class.
 * </ul>
 *
 * <pre>{@code
 * @KafkaTest
 * class OrdersTest {
 *   @Test
 *   void keepsOrder(KafkaCluster kafka, TestTopics topics) {
 *     String orders = topics.create("orders", 4);
 *     ...
 *   }
 * }
 * }</pre>
 *
 * <p>The shared Kafka is one embedded broker, or what these say, each a system property or a JUnit
 * configuration parameter:
 *
 * <ul>
 *   <li>{@value dev.millrace.testkit.cluster.ClusterKind#PROPERTY}: its kind, {@code embedded},
 *       {@code process}, {@code testcontainers} or {@code external};
 *   <li>{@value #NODES_PROPERTY}: how many nodes it has, 1 to 9;
 *   <li>{@value dev.millrace.testkit.cluster.ClusterKind#BOOTSTRAP_SERVERS_PROPERTY}: where the
 *       external one is.
 * </ul>
 *
 * <p>Where it cannot start, no test of the class runs. Where it would run in a container and there
 * is no container engine, they are skipped.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(KafkaTestExtension.class)
public @interface KafkaTest {
  /** Says how many nodes the shared Kafka has. */
  String NODES_PROPERTY = "millrace.testkit.nodes";
}
