package dev.millrace.testkit.proxy;

import dev.millrace.testkit.proxy.ProxyEvent.What;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A client's connection and the one to the broker that belongs to it.
 *
 * <p>It ends when the broker ends it, when it is cut, or when the proxy closes. That the client has
 * left is only passed on to the broker, behind all that the client had sent.
 *
 * <p>Thread-safe.
 */
final class Connection {
  /**
   * In ms. A broker that is down refuses at once; one that is stuck lets the client wait anyway.
   */
  private static final int CONNECT_TIMEOUT = 10_000;

  private final int number;
  private final Socket client;
  private final Socket broker = new Socket();
  private final Link link;
  private final FaultRules rules;
  private final Witness witness;
  private final ProxyThreads threads;
  private final Connections home;
  private final AtomicBoolean opaque;
  private final InFlight inFlight = new InFlight();
  private volatile boolean clientLeft;

  // Written under the lock on this.
  private final List<Pump> pumps = new ArrayList<>();
  private final List<Thread> running = new ArrayList<>();
  private volatile boolean closed;

  Connection(
      int number,
      Socket client,
      boolean encrypted,
      Link link,
      FaultRules rules,
      Witness witness,
      ProxyThreads threads,
      Connections home) {
    this.number = number;
    this.client = client;
    this.opaque = new AtomicBoolean(encrypted);
    this.link = link;
    this.rules = rules;
    this.witness = witness;
    this.threads = threads;
    this.home = home;
  }

  /** Connects to the broker in a thread of its own; without a broker the client is reset. */
  synchronized void open(InetSocketAddress address) {
    if (!closed) {
      running.add(threads.start(number + "-connect", () -> connect(address)));
    }
  }

  private void connect(InetSocketAddress address) {
    try {
      broker.connect(address, CONNECT_TIMEOUT);
      broker.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
      startPumps();
    } catch (IOException e) {
      close();
    }
  }

  private synchronized void startPumps() throws IOException {
    if (closed) {
      return;
    }
    start(
        "to-broker",
        new Pump(
            Direction.TO_BROKER,
            this,
            link,
            new FrameReader(client.getInputStream(), RequestHead.SIZE, opaque),
            new RequestCheckpoint(rules, inFlight, this, witness),
            new ToBroker(broker),
            new Spells(witness, Direction.TO_BROKER)));
    start(
        "to-client",
        new Pump(
            Direction.TO_CLIENT,
            this,
            link,
            new FrameReader(broker.getInputStream(), ResponseCheckpoint.HEAD_SIZE, opaque),
            new ResponseCheckpoint(inFlight, this, witness),
            new ToClient(),
            new Spells(witness, Direction.TO_CLIENT)));
  }

  private void start(String name, Pump pump) {
    pumps.add(pump);
    running.add(threads.start(number + "-" + name + "-read", pump::read));
    running.add(threads.start(number + "-" + name, pump::deliver));
  }

  /** A number of this connection and direction alone. */
  long number(Direction direction) {
    return direction == Direction.TO_BROKER ? number : -number;
  }

  boolean opaque() {
    return opaque.get();
  }

  boolean clientLeft() {
    return clientLeft;
  }

  /** Whether it was cut or closed here: what is still on its way has no effect any more. */
  boolean ended() {
    return closed;
  }

  void sourceEnded(Direction direction) {
    if (direction == Direction.TO_BROKER) {
      clientLeft = true;
    }
  }

  /** To be called after the line has changed. */
  void lineChanged() {
    List<Pump> current;
    synchronized (this) {
      current = List.copyOf(pumps);
    }
    current.forEach(Pump::cutIfGapShows);
  }

  /** Resets both sides and returns true; false, without an effect, when it has ended already. */
  boolean cut(String why) {
    // Witnessed first: who sees the reset finds the event.
    return end(() -> witness.saw(What.CUT, why), Sockets::reset);
  }

  /** Ends it without a fault, with a reset, so that no port lingers. */
  void close() {
    end(() -> {}, Sockets::reset);
  }

  private boolean end(Runnable first, Consumer<Socket> how) {
    synchronized (this) {
      if (closed) {
        return false;
      }
      closed = true;
      first.run();
      how.accept(client);
      how.accept(broker);
      running.stream().filter(t -> t != Thread.currentThread()).forEach(Thread::interrupt);
    }
    inFlight.close();
    home.ended(this);
    return true;
  }

  /** A client that leaves sends its end after its requests, and the broker answers them still. */
  private record ToBroker(Socket broker) implements Sink {
    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      broker.getOutputStream().write(bytes, from, length);
    }

    @Override
    public void end() throws IOException {
      broker.shutdownOutput();
    }
  }

  /** A client that is gone ends nothing: the broker's answers shall be witnessed to the last. */
  private final class ToClient implements Sink {
    @Override
    public void write(byte[] bytes, int from, int length) {
      try {
        client.getOutputStream().write(bytes, from, length);
      } catch (IOException e) {
        clientLeft = true;
      }
    }

    @Override
    public void end() {
      // In order: a reset would overtake the last answers.
      Connection.this.end(() -> {}, Sockets::close);
    }
  }
}
