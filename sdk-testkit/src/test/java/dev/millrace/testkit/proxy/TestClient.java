package dev.millrace.testkit.proxy;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;

/** A client that speaks frames; waits at most 60 s for an answer. */
final class TestClient implements Closeable {
  private final Socket socket;
  private final String clientId;
  private final DataInputStream in;

  TestClient(FaultProxy proxy, String clientId) throws IOException {
    this.clientId = clientId;
    socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(60_000);
    in = new DataInputStream(socket.getInputStream());
  }

  Socket socket() {
    return socket;
  }

  void send(ApiKeys api, int correlationId, byte... body) throws IOException {
    socket.getOutputStream().write(TestFrames.request(api, correlationId, clientId, body));
  }

  /** The next answer, without its length. */
  ByteBuffer receive() throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return ByteBuffer.wrap(bytes);
  }

  int receiveId() throws IOException {
    return receive().getInt();
  }

  /** Sends and waits for the answer. */
  int ask(ApiKeys api, int correlationId) throws IOException {
    send(api, correlationId);
    return receiveId();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
