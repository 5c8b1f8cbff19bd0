package dev.millrace.testkit.worker;

import dev.millrace.testkit.TestKitException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The directory of one life: all that passes between a worker and its test.
 *
 * <p>Files, since what a process has written to one stays when the process is killed, and since
 * each can be looked at after a test that failed.
 */
record LifeFiles(Path directory) {
  /** Written by the parent before the start. */
  Path definition() {
    return directory.resolve("definition.properties");
  }

  /** Standard output and error. */
  Path output() {
    return directory.resolve("output.log");
  }

  /** Written by the worker, if it keeps a history. */
  Path history() {
    return directory.resolve("history.jsonl");
  }

  /** Eight bytes that the worker has mapped; the file is there once its JVM is up. */
  Path progress() {
    return directory.resolve("progress");
  }

  boolean isUp() {
    return Files.exists(progress());
  }

  long readProgress() {
    try {
      byte[] value = Files.readAllBytes(progress());
      return value.length < Long.BYTES ? 0 : ByteBuffer.wrap(value).getLong();
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new TestKitException("Cannot read the progress in " + progress(), e);
    }
  }

  void markReady() {
    mark("ready", "");
  }

  boolean isReady() {
    return Files.exists(directory.resolve("ready"));
  }

  /** Tells the worker that its input ends because the parent asks, not because it died. */
  void markStop() {
    mark("stop", "");
  }

  boolean isStopMarked() {
    return Files.exists(directory.resolve("stop"));
  }

  /** Says how the life ends. The first to say it is believed. */
  void markEnd(WorkerExit exit) {
    mark("end", exit.state() + "\n" + exit.detail());
  }

  /** Returns how the worker says it ended; nothing when it could not say it. */
  Optional<WorkerExit> end() {
    try {
      String[] end = Files.readString(directory.resolve("end")).split("\n", 2);
      return end.length < 2
          ? Optional.empty() // Killed while it said so.
          : Optional.of(new WorkerExit(WorkerExit.State.valueOf(end[0]), end[1]));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new TestKitException("Cannot read how a worker ended from " + directory, e);
    }
  }

  private void mark(String name, String content) {
    Path mark = directory.resolve(name);
    try {
      Files.writeString(mark, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      // Said before.
    } catch (IOException e) {
      throw new TestKitException("Cannot write " + mark, e);
    }
  }
}
