package dev.millrace.testkit.proxy;

import java.io.IOException;

/** Where a direction ends: the broker's socket or the client's. Called by one thread. */
interface Sink {
  void write(byte[] bytes, int from, int length) throws IOException;

  /** Passes on that nothing more comes. */
  void end() throws IOException;
}
