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
 *   <li>an {@link KafkaCluster}: one broker shared by all test classes of the run, started when
 *       first asked for and closed at the end of the run. It belongs to all: do not close or stop
 *       it, start your own for that;
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
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(KafkaTestExtension.class)
public @interface KafkaTest {}
