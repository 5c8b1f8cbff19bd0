package dev.millrace;

import static dev.millrace.BrokerFixture.SOON;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.millrace.idempotency.jdbc.JdbcEffects;
import dev.millrace.idempotency.jdbc.JdbcIdempotencyStore;
import dev.millrace.testkit.cluster.KafkaCluster;
import dev.millrace.testkit.junit.KafkaTest;
import dev.millrace.testkit.junit.TestTopics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An effect in a database, of messages that come twice and fail on the way. */
@KafkaTest
class EffectsThroughRetryTopicTest {
  private static final int MESSAGES = 30;

  private final HikariDataSource database = new HikariDataSource();
  private final BrokerFixture broker;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  EffectsThroughRetryTopicTest(KafkaCluster kafka, TestTopics topics) {
    broker = new BrokerFixture(kafka, topics);
    database.setJdbcUrl("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
  }

  @AfterEach
  void close() {
    broker.close();
    database.close();
  }

  /** What a failed attempt wrote is not there; a retry topic's attempt is the message's, too. */
  @Test
  void isThereOnceForEachMessage() throws Exception {
    execute("CREATE TABLE effects (message VARCHAR(100), attempt INT)");
    broker.create(2);
    JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(database).createTable().build();
    broker
        .factory(
            """
            kafka:
              common: { bootstrap-servers: "${BROKERS}" }
              consumers:
                effects:
                  topics: ["${TOPIC}"]
                  group-id: ${GROUP}
                  concurrency: 4
                  idempotency: {}
                  retry: { max-attempts: 1, topics: [10ms] }
                  dead-letter: {}
            """,
            KafkaFactory.builder().meterRegistry(registry).idempotencyStore(store))
        .createConsumer("effects", String.class)
        .subscribe(
            JdbcEffects.in(store)
                .handler(
                    (value, context, connection) -> {
                      insert(connection, value, context.attempt());
                      if (failsAtFirst(value) && context.attempt() == 1) {
                        throw new IllegalStateException("not yet");
                      }
                    }));
    sendAll();
    sendAll();

    broker.awaitLagZero();
    await().atMost(SOON).until(() -> outcome("handled") + outcome("duplicate") == 2 * MESSAGES);
    assertThat(effects())
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, MESSAGES)
                .mapToObj(n -> "v" + n)
                .map(value -> value + "#" + (failsAtFirst(value) ? 2 : 1))
                .toList());
    assertThat(outcome("handled")).isEqualTo(MESSAGES);
    assertThat(outcome("retry-topic")).isGreaterThanOrEqualTo(MESSAGES / 3);
    assertThat(broker.read(broker.deadLetterTopic()).readAll()).isEmpty();
  }

  private void sendAll() {
    for (int n = 0; n < MESSAGES; n++) {
      ProducerRecord<byte[], byte[]> record =
          new ProducerRecord<>(
              broker.topic(), ("k" + n).getBytes(UTF_8), ("v" + n).getBytes(UTF_8));
      record.headers().add("message-id", ("m" + n).getBytes(UTF_8));
      broker.send(record);
    }
  }

  private static boolean failsAtFirst(String value) {
    return Integer.parseInt(value.substring(1)) % 3 == 0;
  }

  private double outcome(String outcome) {
    return registry.get("millrace.consumer.records").tag("outcome", outcome).counter().count();
  }

  private static void insert(Connection connection, String message, int attempt)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO effects VALUES (?, ?)")) {
      insert.setString(1, message);
      insert.setInt(2, attempt);
      insert.executeUpdate();
    }
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private List<String> effects() throws SQLException {
    List<String> effects = new ArrayList<>();
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT message, attempt FROM effects")) {
      while (rows.next()) {
        effects.add(rows.getString(1) + "#" + rows.getInt(2));
      }
    }
    return effects;
  }
}
