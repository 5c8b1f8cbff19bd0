package dev.millrace.testkit.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** No connection is made to an accepting socket: what lingers of one would hold the port, too. */
class ReservedPortTest {
  @Test
  void isHeldBeforeBetweenAndAfterServersOfThisJvm() throws Exception {
    try (ReservedPort port = new ReservedPort()) {
      assertHeld(port);
      for (int i = 0; i < 2; i++) {
        try (ServerSocketChannel server = port.listen()) {
          assertThat(server.socket().getLocalPort()).isEqualTo(port.port());
          assertHeld(port);
        }
        port.hold();
        assertHeld(port);
      }
    }
  }

  @Test
  void refusesClientsWhileNobodyListens() {
    try (ReservedPort port = new ReservedPort()) {
      assertThatThrownBy(() -> new Socket(port.address().getAddress(), port.port()).close())
          .isInstanceOf(ConnectException.class);
    }
  }

  /** A killed process gives nothing back, so nobody could hold the port in time. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void isHeldAllTheTimeAProcessMayListenOnIt() throws Exception {
    try (ReservedPort port = new ReservedPort()) {
      port.lend();
      assertHeld(port);
      try (ServerSocket process = new ServerSocket(port.port(), 1, port.address().getAddress())) {
        assertThat(process.isBound()).isTrue();
      }
      assertHeld(port);
    }
  }

  @Test
  void isGivenBackAtTheEnd() throws IOException {
    ReservedPort port = new ReservedPort();
    port.listen();
    port.close();

    assertThatCode(() -> Ports.connectFrom(port.port())).doesNotThrowAnyException();
  }

  private static void assertHeld(ReservedPort port) {
    assertThatThrownBy(() -> Ports.connectFrom(port.port())).isInstanceOf(BindException.class);
  }
}
