package dev.millrace.testkit.proxy;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A server that notes the frames it gets and answers them, or sends back raw bytes. */
final class ScriptedBroker implements AutoCloseable {
  private final ServerSocket server;
  private final Conversation conversation;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final List<ByteBuffer> frames = new CopyOnWriteArrayList<>();
  private final List<String> ends = new CopyOnWriteArrayList<>();

  private interface Conversation {
    void with(ScriptedBroker broker, Socket client) throws IOException;
  }

  private ScriptedBroker(Conversation conversation) {
    this.conversation = conversation;
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    start(this::accept);
  }

  /** Answers each frame with its correlation id and whatever followed its header. */
  static ScriptedBroker answering() {
    return answering(frame -> Optional.of(TestFrames.echo(frame)));
  }

  static ScriptedBroker answering(Function<ByteBuffer, Optional<byte[]>> answer) {
    return new ScriptedBroker((broker, client) -> broker.answer(client, answer));
  }

  /** Sends each byte back as it comes. */
  static ScriptedBroker echoing() {
    return new ScriptedBroker((broker, client) -> echo(client));
  }

  InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /** The frames that came, without their length, of all connections in order of arrival. */
  List<ByteBuffer> frames() {
    return frames;
  }

  List<Integer> correlationIds() {
    return frames.stream().map(frame -> frame.getInt(4)).toList();
  }

  /** How each connection ended: "end" or "reset". */
  List<String> ends() {
    return ends;
  }

  int connections() {
    return sockets.size();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket client = server.accept();
        client.setTcpNoDelay(true);
        sockets.add(client);
        if (server.isClosed()) {
          // Came in while the socket was being closed.
          client.close();
        }
        start(() -> converse(client));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void converse(Socket client) {
    try (client) {
      conversation.with(this, client);
      ends.add("end");
    } catch (SocketException e) {
      ends.add("reset");
    } catch (IOException e) {
      ends.add(e.toString());
    }
  }

  private void answer(Socket client, Function<ByteBuffer, Optional<byte[]>> answer)
      throws IOException {
    DataInputStream in = new DataInputStream(client.getInputStream());
    while (true) {
      byte[] prefix = in.readNBytes(4);
      if (prefix.length < 4) {
        return;
      }
      byte[] frame = in.readNBytes(ByteBuffer.wrap(prefix).getInt());
      frames.add(ByteBuffer.wrap(frame));
      Optional<byte[]> bytes = answer.apply(ByteBuffer.wrap(frame));
      if (bytes.isPresent()) {
        client.getOutputStream().write(bytes.get());
      }
    }
  }

  private static void echo(Socket client) throws IOException {
    InputStream in = client.getInputStream();
    OutputStream out = client.getOutputStream();
    byte[] buffer = new byte[10_000];
    for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
      out.write(buffer, 0, read);
    }
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "scripted-broker");
    thread.setDaemon(true);
    thread.start();
  }
}
