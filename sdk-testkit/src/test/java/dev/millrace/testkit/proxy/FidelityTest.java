package dev.millrace.testkit.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** However the bytes come, what comes out is what went in. The parameters are seeds. */
class FidelityTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void framesInRandomChunksComeThroughUnaltered(long seed) throws Exception {
    Random random = new Random(seed);
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    for (int id = 0; id < 100; id++) {
      ApiKeys api = random.nextBoolean() ? ApiKeys.PRODUCE : ApiKeys.END_TXN;
      stream.writeBytes(TestFrames.request(api, id, "c" + id, bytes(random, id % 20 == 0)));
    }
    // The last frame is cut off somewhere, as by a client that dies.
    byte[] cutOff = TestFrames.request(ApiKeys.PRODUCE, 100, "c", bytes(random, true));
    stream.write(cutOff, 0, random.nextInt(cutOff.length));

    assertThat(thereAndBack(stream.toByteArray(), random)).isEqualTo(stream.toByteArray());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void whatIsNotKafkaComesThroughUnaltered(long seed) throws Exception {
    Random random = new Random(seed);
    byte[] bytes = new byte[2_000_000];
    random.nextBytes(bytes);
    bytes[0] = 0x16;

    assertThat(thereAndBack(bytes, random)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void eachAnswerIsOfItsRequestAndInOrder(long seed) throws Exception {
    Random random = new Random(seed);
    List<byte[]> bodies = random.ints(100).mapToObj(i -> bytes(random, i % 20 == 0)).toList();
    try (ScriptedBroker broker = ScriptedBroker.answering();
        FaultProxy proxy = FaultProxy.inFrontOf(1, broker.address());
        TestClient client = new TestClient(proxy, "c")) {
      mistreat(proxy, random);
      CompletableFuture<Void> sender =
          CompletableFuture.runAsync(
              () -> {
                for (int id = 0; id < bodies.size(); id++) {
                  send(client, id, bodies.get(id));
                }
              });
      for (int id = 0; id < bodies.size(); id++) {
        ByteBuffer answer = client.receive();
        assertThat(answer.getInt()).isEqualTo(id);
        assertThat(answer).isEqualTo(ByteBuffer.wrap(bodies.get(id)));
      }
      sender.join();
    }
  }

  private static byte[] thereAndBack(byte[] bytes, Random random) throws Exception {
    try (ScriptedBroker broker = ScriptedBroker.echoing();
        FaultProxy proxy = FaultProxy.inFrontOf(1, broker.address());
        TestClient client = new TestClient(proxy, "c")) {
      mistreat(proxy, random);
      long chunks = random.nextLong();
      CompletableFuture<Void> sender =
          CompletableFuture.runAsync(() -> sendInChunks(client, bytes, new Random(chunks)));
      byte[] back = client.socket().getInputStream().readAllBytes();
      sender.join();
      return back;
    }
  }

  /** With faults that alter nothing. */
  private static void mistreat(FaultProxy proxy, Random random) {
    if (random.nextBoolean()) {
      proxy.addLatency(Duration.ofMillis(2), Duration.ofMillis(3), random.nextLong());
    }
    if (random.nextBoolean()) {
      proxy.throttle(Direction.TO_CLIENT, 20_000_000);
    }
  }

  private static void sendInChunks(TestClient client, byte[] bytes, Random random) {
    try {
      OutputStream out = client.socket().getOutputStream();
      int from = 0;
      while (from < bytes.length) {
        int most = random.nextInt(10) == 0 ? 200_000 : 50 + from / 100;
        int to = Math.min(bytes.length, from + 1 + random.nextInt(most));
        out.write(Arrays.copyOfRange(bytes, from, to));
        from = to;
      }
      client.socket().shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void send(TestClient client, int id, byte[] body) {
    try {
      client.send(ApiKeys.FETCH, id, body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] bytes(Random random, boolean large) {
    byte[] bytes = new byte[random.nextInt(large ? 200_000 : 200)];
    random.nextBytes(bytes);
    return bytes;
  }
}
