package dev.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.internal.client.TransactionSupport;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What the log says of a cluster before the first transaction. */
@KafkaTest
class TransactionSupportTest {
  private static final String CONFIG =
      """
      kafka:
        common: { bootstrap-servers: "${BROKERS}" }
        producers:
          exact: { topics: ["${TOPIC}", "${TOPIC}.missing"], delivery-semantics: exactly-once }
      """;

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(TransactionSupport.class);
  private final BrokerFixture broker;

  TransactionSupportTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    broker.create(1);
  }

  @BeforeEach
  void listen() {
    log.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(log);
  }

  @AfterEach
  void close() {
    logger.detachAppender(log);
    logger.setLevel(null); // its parent's again
    broker.close();
  }

  @Test
  void namesTheVersionAndWarnsOnceOfTopicsThatOneBrokerCanTakeWithIt() {
    KafkaFactory factory = broker.factory(CONFIG);
    factory.createTransactionalProducer("exact");
    factory.createTransactionalProducer("exact", String.class);

    assertThat(lines("transactions of version 2")).hasSize(1);
    assertThat(lines("lost broker"))
        .singleElement()
        .asString()
        .startsWith("Producer 'exact'")
        .contains(broker.topic() + " (1 replicas, min.insync.replicas 1)")
        .contains("__transaction_state (1 replicas, min.insync.replicas 1)")
        .doesNotContain(".missing");
    assertThat(lines("could not")).isEmpty();
  }

  private List<String> lines(String part) {
    return log.list.stream()
        .map(ILoggingEvent::getFormattedMessage)
        .filter(line -> line.contains(part))
        .toList();
  }
}
