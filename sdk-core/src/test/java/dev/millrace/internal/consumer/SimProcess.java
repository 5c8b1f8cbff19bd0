package dev.millrace.internal.consumer;

import dev.millrace.config.ConsumerDefinition;
import dev.millrace.config.MissingOffset;
import dev.millrace.internal.channel.DeliveryProcessor;
import dev.millrace.internal.channel.InFlight;
import dev.millrace.internal.channel.LaneScheduler;
import dev.millrace.internal.channel.PollThreadSignal;
import dev.millrace.internal.channel.SteppedSignal;
import dev.millrace.internal.channel.SteppedWorkers;
import dev.millrace.internal.channel.Workers;
import dev.millrace.internal.delivery.DeadLetters;
import dev.millrace.internal.runtime.EngineRuntime;
import dev.millrace.internal.time.DelayTimer;
import dev.millrace.internal.time.EngineClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** A process of the service: a real engine, on the world's thread and in the world's time. */
final class SimProcess implements EngineRuntime, SteppedSignal.Surroundings {
  final int number;
  final SimConsumer client;
  final SimWorld world;
  final ConsumerDefinition definition;

  /** A dead letter on its way. */
  record Letter(
      TopicPartition partition,
      long offset,
      int life,
      SimOwnership ownership,
      CompletableFuture<RecordMetadata> acknowledged) {}

  static final CompletableFuture<RecordMetadata> NO_ANSWER = new CompletableFuture<>();

  /** What a user asks for: other pauses, or a seek in a partition. */
  private record Asked(
      UnaryOperator<UserPauses> pauses, @Nullable TopicPartition seeksIn, long seeksTo) {}

  /** Handlers that have begun and not ended, and dead letters on their way. */
  final List<SimHandler.Running> running = new ArrayList<>();

  final List<Letter> deadLetters = new ArrayList<>();

  /** What the user has asked for, in the order in which the engine comes to it: one a turn. */
  private final Deque<Asked> asked = new ArrayDeque<>();

  /** What the turn's command has the partition's position be, if it is a seek. */
  private @Nullable TopicPartition seeksIn;

  private long seeksTo;

  final SimBooks books;
  final SimListener listener;
  private final SimThread listenerThread;
  private final SimWatchdog watchdog;
  private final StopRequest stop;
  private final ConsumerEngine engine;
  private UserPauses pauses = UserPauses.NONE;
  private SteppedWorkers workers;
  private InFlight inFlight;
  private final DelayTimer timer;
  private final PollThreadSignal signal = new SteppedSignal(this);

  /** Of its slices: their threads, and what their clients do there. */
  private final List<SimThread> sliceThreads = new ArrayList<>();

  private final List<SimTransactions> transactions = new ArrayList<>();

  /** Which transactional ids are its own. */
  private final int place;

  private final int slices;
  private int waitsInVain;
  boolean endsOutsideOfWorker;

  /** How many records are about to end. */
  int sends;

  boolean inTurn;
  boolean ending;
  boolean crashed;
  boolean ended;

  SimProcess(int number, SimWorld world, ConsumerDefinition definition) {
    this.number = number;
    this.world = world;
    this.definition = definition;
    this.client = new SimConsumer(this, world.broker);
    this.timer = world.clock.timer();
    this.stop = new StopRequest(world.clock);
    this.books = new SimBooks(this);
    this.listener = new SimListener(this);
    this.listenerThread = new SimThread(world.bug.tellsListener());
    this.watchdog = new SimWatchdog(this);
    this.place = world.placeOf(this);
    this.slices = world.slices;
    this.engine =
        new ConsumerEngine(
            world.told,
            SimWorld.MAX_POLL,
            client,
            new StringDeserializer(),
            new SimHandler(this).handling(),
            !DeadLetters.areSent(definition)
                ? null
                : new DeadLetters(
                    definition.groupId(), definition.deadLetter(), this::sendDeadLetter),
            books.meters(),
            stop,
            this,
            world.listens ? ServiceHooks.NONE.listener(listener) : ServiceHooks.NONE,
            null,
            world.exactlyOnce ? new TransactionRoute(transactions(), SimProcess::serialize) : null,
            null);
  }

  private List<SimTransactions> transactions() {
    for (int i = 0; i < slices; i++) {
      transactions.add(new SimTransactions(this, i, "process-" + place + "-" + i));
    }
    return transactions;
  }

  private static byte[] serialize(String topic, Object value) {
    return value.toString().getBytes(StandardCharsets.UTF_8);
  }

  private CompletableFuture<RecordMetadata> sendDeadLetter(
      ProducerRecord<byte[], byte[]> deadLetter) {
    TopicPartition partition =
        new TopicPartition(
            SimBroker.TOPIC, Integer.parseInt(header(deadLetter, "millrace-origin-partition")));
    Letter letter =
        new Letter(
            partition,
            Long.parseLong(header(deadLetter, "millrace-origin-offset")),
            SimHandler.life(new String(deadLetter.value(), StandardCharsets.UTF_8)),
            world.oracle.owner(this, partition),
            new CompletableFuture<>());
    deadLetters.add(letter);
    return letter.acknowledged();
  }

  private static String header(ProducerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  boolean isAlive() {
    return !crashed && !ended;
  }

  /** One turn of the poll loop; the last one ends the engine. */
  void turn() {
    if (!stop.isRequested()) {
      if (!asked.isEmpty()) {
        Asked next = asked.remove();
        pauses = next.pauses().apply(pauses);
        seeksIn = next.seeksIn();
        seeksTo = next.seeksTo();
      }
      watchdog.look();
    }
    inTurn = true;
    long began = world.clock.nanos();
    long othersBefore = world.nanosOfOthers;
    try {
      if (engine.turn()) {
        long others = world.nanosOfOthers - othersBefore;
        world.oracle.flow.turned(this, world.clock.nanos() - began - others);
        world.oracle.require(
            engine.isHealthy() == watchdog.isContent(),
            "Watchdog: ",
            this,
            " says of its health ",
            engine.isHealthy());
      } else if (!crashed) {
        stop.failure().ifPresent(failure -> world.oracle.failed(this, failure));
        world.oracle.ending(this, stop.handlersUntilNanos());
        client.ending();
        ending = true;
        engine.end();
        ended = true;
        client.leave();
        if (definition.onMissingOffset().start() == MissingOffset.Start.FAIL) {
          world.broker.repairOffsets();
        }
        if (world.listens) {
          listener.toldAll(Set.of());
        }
        if (sends == 0) { // Else one has ended that is not counted yet.
          books.balance();
        }
      }
    } catch (SimCrash killed) {
      // Nothing of it goes on.
    } finally {
      inTurn = false;
      // If another process waits meanwhile, all of this was not its own time.
      world.nanosOfOthers = othersBefore + world.clock.nanos() - began;
    }
  }

  boolean listenerCanStep() {
    return !listenerThread.isIdle();
  }

  void stepListener() {
    listenerThread.step();
  }

  int place() {
    return place;
  }

  /** A handler ends that holds no worker. */
  void endsOutsideOfWorker(Runnable end) {
    boolean before = endsOutsideOfWorker;
    endsOutsideOfWorker = true;
    end.run();
    endsOutsideOfWorker = before;
  }

  boolean slicesCanStep() {
    return sliceThreads.stream().anyMatch(SimThread::canStep);
  }

  void stepSlice() {
    List<Integer> can = new ArrayList<>();
    for (int i = 0; i < sliceThreads.size(); i++) {
      if (sliceThreads.get(i).canStep()) {
        can.add(i);
      }
    }
    int slice = can.get(world.random.nextInt(can.size()));
    try {
      sliceThreads.get(slice).step();
    } catch (SimCrash killed) {
      // Nothing of it goes on.
    }
  }

  boolean slicesAreIdle() {
    return sliceThreads.stream().allMatch(SimThread::isIdle);
  }

  boolean mayRewind(TopicPartition partition) {
    for (int i = 0; i < transactions.size(); i++) {
      if (isIn(i, partition) && transactions.get(i).hasGivenUp()) {
        return true;
      }
    }
    return false;
  }

  /** As the engine divides them. */
  boolean isIn(int slice, TopicPartition partition) {
    return Math.floorMod(partition.topic().hashCode() + partition.partition(), slices) == slice;
  }

  void came(List<SimOwnership> ownerships) {
    if (world.listens) {
      listener.comes(ownerships);
    }
  }

  /** The engine has the client go on elsewhere. */
  void seeks(TopicPartition partition, long offset) {
    // Its partition may be taken back to its last commit in the same turn.
    if (partition.equals(seeksIn) && (!world.exactlyOnce || offset == seeksTo)) {
      seeksIn = null;
      world.oracle.moves.sought(this, partition, offset);
    } else {
      world.oracle.moves.goesOn(this, partition, offset);
    }
  }

  /** If this turn has one, nobody knows where the log begins and ends, so it is refused. */
  void seekFails() {
    seeksIn = null;
  }

  void delivered(TopicPartition partition, long offset, SimLog.Entry entry) {
    if (!world.oracle.moves.delivers(this, partition, offset, entry)) {
      books.doneBefore();
    }
  }

  void savedForLeave(Set<TopicPartition> partitions) {
    partitions.forEach(partition -> world.oracle.owner(this, partition).savedForLeave = true);
  }

  boolean stops() {
    return stop.isRequested();
  }

  boolean worksOn(SimOwnership ownership) {
    return running.stream().anyMatch(run -> run.ownership == ownership)
        || deadLetters.stream().anyMatch(letter -> letter.ownership() == ownership);
  }

  /** Returns how many records are at work whose ownership has ended. */
  int workLeftBehind(Collection<SimOwnership> owned) {
    int left = 0;
    for (SimHandler.Running run : running) {
      left += owned.contains(run.ownership) ? 0 : 1;
    }
    for (Letter letter : deadLetters) {
      left += owned.contains(letter.ownership()) ? 0 : 1;
    }
    return left;
  }

  /** All has ended, and nothing is held any more. */
  void quiet() {
    world.oracle.require(
        inFlight.bytes() == 0, "B1: ", this, " holds ", inFlight.bytes(), " bytes");
    world.oracle.require(
        inFlight.resting() == 0, "B1: ", this, " has ", inFlight.resting(), " records at rest");
    world.oracle.require(workers.busy() == 0, "V1: ", this, " lacks ", workers.busy(), " permits");
    if (world.listens && listenerThread.isIdle()) {
      listener.toldAll(client.owned());
    }
    books.balance();
  }

  boolean workersCanStep() {
    return workers.canStep();
  }

  void stepWorkers() {
    boolean outside = endsOutsideOfWorker;
    endsOutsideOfWorker = false;
    workers.step(world.random::nextInt);
    endsOutsideOfWorker = outside;
  }

  int inFlight() {
    return inFlight.records();
  }

  int inChannel() {
    return inFlight.inChannel();
  }

  boolean isPausedByUser(TopicPartition partition) {
    return pauses.contains(partition);
  }

  // What a user does.

  void close(Duration timeout) {
    stop.request(null, timeout);
  }

  void pause(List<TopicPartition> partitions) {
    Instant now = world.clock.now();
    asked.add(new Asked(before -> before.with(partitions, now), null, -1));
    var unused = engine.controls().pause(partitions);
  }

  void resumeAll() {
    asked.add(new Asked(before -> UserPauses.NONE, null, -1));
    var unused = engine.controls().resume();
  }

  void seek(TopicPartition partition, long offset) {
    asked.add(new Asked(before -> before, partition, offset));
    var unused = engine.controls().seek(partition, offset);
  }

  /** SIGKILL. */
  void kill() {
    crashed = true;
    timer.close();
    running.clear();
    deadLetters.clear();
    client.died();
  }

  // What the engine is given.

  @Override
  public EngineClock clock() {
    return world.clock;
  }

  @Override
  public PollThreadSignal signal() {
    return signal;
  }

  /** The others go on while the poll thread waits. */
  @Override
  public boolean step(long deadlineNanos) {
    waitsInVain = 0;
    world.stepWhileWaiting(deadlineNanos);
    if (crashed) {
      throw new SimCrash();
    }
    return true;
  }

  /** A call of the client's waits; that time is not the engine's. */
  void awaitBroker(BooleanSupplier answered, Duration longest) {
    long othersBefore = world.nanosOfOthers;
    long began = world.clock.nanos();
    long until = began + longest.toNanos();
    while (!answered.getAsBoolean() && world.clock.nanos() < until) {
      step(until);
    }
    world.nanosOfOthers = othersBefore + world.clock.nanos() - began;
  }

  @Override
  public long nanos() {
    return world.clock.nanos();
  }

  @Override
  public void timedOut(boolean holds) {
    world.oracle.flow.wasWoken(this, !holds);
    world.oracle.require(++waitsInVain < 100, "V1: ", this, " waits again and again, for no time");
  }

  /** The poll of a turn does not wait; that of an end has nothing beside it that could. */
  void pollWaits(Duration time) {
    seeksIn = null; // The command has been run.
    long until = world.clock.nanos() + time.toNanos();
    while (ending && world.clock.nanos() < until) {
      world.stepWhileWaiting(until);
      if (crashed) {
        throw new SimCrash();
      }
    }
  }

  @Override
  public DelayTimer timer() {
    return new DelayTimer() {
      @Override
      public void after(long delayNanos, Runnable task) {
        timer.after(delayNanos, () -> world.bug.timer(task));
      }

      @Override
      public void close() {
        timer.close();
      }
    };
  }

  @Override
  public ExecutorService transactionCalls(int slice) {
    SimThread thread = new SimThread(true);
    sliceThreads.add(thread);
    return thread;
  }

  /** No world has retry topics. */
  @Override
  public ExecutorService keyLooks() {
    throw new IllegalStateException("There are no retry topics.");
  }

  @Override
  public ExecutorService listenerCalls() {
    return listenerThread;
  }

  @Override
  public Workers workers(
      LaneScheduler scheduler, DeliveryProcessor processor, Consumer<Throwable> onBug) {
    inFlight = scheduler.inFlight();
    workers = new SteppedWorkers(Math.min(2, definition.concurrency()), scheduler, processor);
    return workers;
  }

  @Override
  public String toString() {
    return "process " + number;
  }
}
