package dev.millrace.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import dev.millrace.KafkaFactory;
import dev.millrace.config.ConfigLoader;
import dev.millrace.config.KafkaConfig;
import dev.millrace.testkit.worker.Worker;
import dev.millrace.testkit.worker.WorkerContext;
import java.sql.PreparedStatement;
import java.util.concurrent.atomic.AtomicLong;

/** A consumer in its own process, made to be killed, that writes each message into a table. */
public final class EffectsWorker implements Worker {
  @Override
  public void run(WorkerContext test) throws Exception {
    AtomicLong handled = new AtomicLong();
    try (HikariDataSource database = Databases.pool(test.argument("database"))) {
      JdbcIdempotencyStore store = JdbcIdempotencyStore.builder(database).createTable().build();
      try (KafkaFactory kafka =
          KafkaFactory.builder().idempotencyStore(store).create(config(test))) {
        kafka
            .createConsumer("effects", String.class)
            .subscribe(
                JdbcEffects.in(store)
                    .handler(
                        (message, context, connection) -> {
                          try (PreparedStatement insert =
                              connection.prepareStatement("INSERT INTO effects VALUES (?)")) {
                            insert.setString(1, message);
                            insert.executeUpdate();
                          }
                          test.progress(handled.incrementAndGet());
                        }));
        test.awaitStop();
      }
    }
  }

  private static KafkaConfig config(WorkerContext test) {
    String yaml =
        """
        kafka:
          common: { bootstrap-servers: '%s' }
          consumers:
            effects:
              topics: [%s]
              group-id: %s
              instances: 4
              concurrency: 32
              # The next life takes the killed one's place at once, whatever the machine does.
              group-instance-id: %s
              idempotency: { lease: 5s }
              retry: { max-attempts: 1000 }
              properties: { session.timeout.ms: 60000 }
        """;
    return ConfigLoader.create()
        .parse(
            "test",
            yaml.formatted(
                test.argument("kafka"),
                test.argument("topic"),
                test.argument("group"),
                test.name()));
  }
}
