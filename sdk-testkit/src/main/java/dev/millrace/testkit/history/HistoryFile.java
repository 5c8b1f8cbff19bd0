package dev.millrace.testkit.history;

import dev.millrace.testkit.TestKitException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The file of a history: appends whole lines, reads them back.
 *
 * <p>Each line is one {@code write}: the page cache outlives the process, so what was written
 * before a SIGKILL is there, and at most the last line is torn. It is a stream and not a {@code
 * FileChannel}, because a channel closes itself when the thread that writes is interrupted, and
 * threads of handlers are.
 *
 * <p>Thread-safe.
 */
final class HistoryFile implements AutoCloseable {
  private final Path path;
  private final OutputStream out;

  HistoryFile(Path path) {
    this.path = path;
    try {
      boolean torn = endsWithinALine(path);
      out = new FileOutputStream(path.toFile(), true);
      if (torn) {
        out.write('\n');
      }
    } catch (IOException e) {
      throw new TestKitException("Cannot write the history " + path, e);
    }
  }

  synchronized void append(byte[] line) {
    try {
      out.write(line);
    } catch (IOException e) {
      throw new TestKitException("Cannot write on into the history " + path, e);
    }
  }

  @Override
  public synchronized void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new TestKitException("Cannot close the history " + path, e);
    }
  }

  /**
   * Returns the events of a file in its order. A line that is not whole is the last of its writer:
   * at the end of the file, or before the next writer's first event.
   *
   * @throws TestKitException if it can't be read, or a line in the middle is no event
   */
  static List<Event> read(Path path) {
    List<Event> events = new ArrayList<>();
    String tornAt = null;
    int number = 0;
    try {
      String text = Files.readString(path);
      boolean lastIsWhole = text.endsWith("\n");
      List<String> lines = text.lines().toList();
      for (String line : lines) {
        number++;
        boolean whole = lastIsWhole || number < lines.size();
        Event event = whole ? parseOrNull(line) : null;
        if (tornAt != null && (event == null || event.kind() != Kind.PROCESS_STARTED)) {
          throw new TestKitException(tornAt + " is no event, and what follows goes on", null);
        }
        tornAt = event == null ? path + ":" + number : null;
        events.add(event == null ? torn(events, tornAt) : event);
      }
      return events;
    } catch (IOException | UncheckedIOException e) {
      throw new TestKitException("Cannot read the history " + path, e);
    }
  }

  private static @Nullable Event parseOrNull(String line) {
    try {
      return EventJson.parse(line);
    } catch (IOException e) {
      return null;
    }
  }

  /** Has the time and the writer of the last whole event, for it cannot have been earlier. */
  private static Event torn(List<Event> before, @Nullable String place) {
    String text = "a line that is not whole at " + place;
    if (before.isEmpty()) {
      return new Event(Kind.TORN, 0, "?", "?", 0, 0, null, Map.of(), text);
    }
    Event last = before.get(before.size() - 1);
    return new Event(
        Kind.TORN,
        last.process(),
        last.name(),
        last.thread(),
        last.nanos(),
        last.micros(),
        null,
        Map.of(),
        text);
  }

  private static boolean endsWithinALine(Path path) throws IOException {
    if (Files.notExists(path) || Files.size(path) == 0) {
      return false;
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
      file.seek(file.length() - 1);
      return file.read() != '\n';
    }
  }
}
