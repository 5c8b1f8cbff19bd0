package dev.millrace.testkit.probe;

import dev.millrace.testkit.TestKitException;
import dev.millrace.testkit.internal.Answer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NetworkClientUtils;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ChannelBuilder;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Reads a partition's batches as they are logged, markers of transactions included, which no
 * consumer shows.
 *
 * <p>Not thread-safe.
 */
final class BatchReader implements AutoCloseable {
  /** The last version that names topics, and does not need their ids. */
  private static final short BY_NAME = 12;

  private static final int FETCH_BYTES = 4 << 20;
  private static final int BOUND_MS = (int) Answer.BOUND.toMillis();
  private static final String CLIENT_ID = "millrace-testkit-probe";

  private final Time time = Time.SYSTEM;
  private final Metrics metrics = new Metrics();
  private final NetworkClient client;

  BatchReader(Map<String, Object> properties) {
    LogContext logs = new LogContext("[probe] ");
    ChannelBuilder channels =
        ClientUtils.createChannelBuilder(new AdminClientConfig(properties), time, logs);
    client =
        new NetworkClient(
            new Selector(BOUND_MS, metrics, time, CLIENT_ID, channels, logs),
            new ManualMetadataUpdater(),
            CLIENT_ID,
            1,
            50,
            1_000,
            -1,
            -1,
            BOUND_MS,
            BOUND_MS,
            BOUND_MS,
            time,
            true,
            new ApiVersions(),
            logs,
            MetadataRecoveryStrategy.NONE);
  }

  /**
   * Hands over the batches from {@code range.from} to what was replicated when the reading began.
   *
   * @param leader the partition's leader
   * @throws TestKitException if the leader does not answer, or refuses, or it takes longer than
   *     {@link Answer#BOUND}
   */
  void read(Node leader, TopicPartition partition, long from, Consumer<RecordBatch> to) {
    try {
      if (!NetworkClientUtils.awaitReady(client, leader, time, BOUND_MS)) {
        throw failed(partition, leader, "no connection within " + Answer.BOUND, null);
      }
      long next = from;
      long end = Long.MAX_VALUE;
      long start = System.nanoTime();
      while (next < end) {
        if (System.nanoTime() - start > Answer.BOUND.toNanos()) {
          throw failed(
              partition, leader, "at " + next + " of " + end + " after " + Answer.BOUND, null);
        }
        FetchResponseData.PartitionData data = fetch(leader, partition, next);
        end = Math.min(end, data.highWatermark());
        for (RecordBatch batch : FetchResponse.recordsOrFail(data).batches()) {
          // A fetch may begin within a batch, and end beyond where this reading ends.
          if (batch.lastOffset() >= next && batch.baseOffset() < end) {
            to.accept(batch);
            next = batch.nextOffset();
          }
        }
      }
    } catch (IOException e) {
      throw failed(partition, leader, e.toString(), e);
    }
  }

  private FetchResponseData.PartitionData fetch(Node leader, TopicPartition partition, long from)
      throws IOException {
    FetchRequest.PartitionData wanted =
        new FetchRequest.PartitionData(
            Uuid.ZERO_UUID, from, -1, FETCH_BYTES, Optional.empty(), Optional.empty());
    FetchRequest.Builder request =
        FetchRequest.Builder.forConsumer(BY_NAME, 0, 0, Map.of(partition, wanted));
    ClientResponse answer =
        NetworkClientUtils.sendAndReceive(
            client,
            client.newClientRequest(leader.idString(), request, time.milliseconds(), true),
            time);
    FetchResponseData fetched = ((FetchResponse) answer.responseBody()).data();
    List<FetchResponseData.FetchableTopicResponse> topics = fetched.responses();
    short error =
        topics.isEmpty() ? fetched.errorCode() : topics.get(0).partitions().get(0).errorCode();
    if (error != Errors.NONE.code() || topics.isEmpty()) {
      throw failed(partition, leader, Errors.forCode(error).name(), null);
    }
    return topics.get(0).partitions().get(0);
  }

  private static TestKitException failed(
      TopicPartition partition, Node leader, String why, @Nullable Exception cause) {
    return new TestKitException(
        "Cannot read " + partition + " from its leader " + leader + ": " + why, cause);
  }

  @Override
  public void close() {
    client.close();
    metrics.close();
  }
}
