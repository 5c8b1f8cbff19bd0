package dev.millrace.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Kafka Streams with {@code exactly_once_v2} and one thread, without any state. */
final class StreamsCopy implements Contender {
  private static final Duration LONGEST_END = Duration.ofSeconds(30);

  @Override
  public Running start(Workload workload, Source source, Handling handling) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    var bytes = Serdes.ByteArray();
    builder.stream(source.topic(), Consumed.with(bytes, bytes))
        .processValues(() -> new Handler(handling))
        .to(source.copy(), Produced.with(bytes, bytes));
    Path state = Files.createTempDirectory("millrace-streams");
    KafkaStreams streams = new KafkaStreams(builder.build(), settings(workload, source, state));
    streams.start();
    return () -> {
      streams.close(LONGEST_END);
      streams.cleanUp();
      Files.delete(state);
    };
  }

  private static Properties settings(Workload workload, Source source, Path state) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, source.group());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, source.brokers());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, workload.commitMillis());
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
        workload.fetchBytes());
    settings.put(
        StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG),
        SESSION_TIMEOUT_MILLIS);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_BYTES);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), LINGER_MILLIS);
    return settings;
  }

  /** One for each partition; all in the one thread. */
  private static final class Handler extends ContextualFixedKeyProcessor<byte[], byte[], byte[]> {
    private final Handling handling;

    Handler(Handling handling) {
      this.handling = handling;
    }

    @Override
    public void process(FixedKeyRecord<byte[], byte[]> record) {
      try {
        handling.handle(context().recordMetadata().orElseThrow().offset(), record.value());
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      context().forward(record);
    }
  }
}
