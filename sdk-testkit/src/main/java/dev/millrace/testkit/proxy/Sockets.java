package dev.millrace.testkit.proxy;

import java.io.IOException;
import java.net.Socket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The two ways to end a socket. */
final class Sockets {
  private static final Logger LOG = LoggerFactory.getLogger(Sockets.class);

  private Sockets() {}

  /** With RST instead of FIN; what was written and not sent yet is thrown away. */
  static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // The other side was quicker: there is nothing left to reset.
    }
    close(socket);
  }

  /** In order: what was written arrives. Does not wait for it. */
  static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.warn("Cannot close {}", socket, e);
    }
  }
}
