package dev.millrace.testkit.internal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory under the system's temporary one, removed with all it holds at {@link #close()}. Its
 * name carries the process's id: a process that was killed cannot remove its own, so the next one
 * made by anybody removes it.
 */
public final class TempDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TempDirectory.class);
  private static final String KIT = "millrace-";
  private static final Pattern OURS = Pattern.compile(KIT + ".*-(\\d+)-\\d+");

  private final Path path;

  /**
   * Makes one, and sweeps those of processes that are no more.
   *
   * @param name begins with {@code millrace-}
   */
  public TempDirectory(String name) {
    if (!name.startsWith(KIT)) {
      throw new IllegalArgumentException("Not swept when left behind: " + name);
    }
    sweep();
    String prefix = name + "-" + ProcessHandle.current().pid() + "-";
    try {
      path = Files.createTempDirectory(prefix);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot create a temporary directory " + prefix + "*", e);
    }
  }

  public Path path() {
    return path;
  }

  @Override
  public void close() {
    delete(path);
  }

  /** Removes a directory with all it holds, if it is there. */
  public static void delete(Path path) {
    try {
      Files.walkFileTree(path, new Deletion());
    } catch (NoSuchFileException e) {
      // As wanted; a process that was killed with its parent may be sweeping, too.
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot remove the directory " + path, e);
    }
  }

  private static void sweep() {
    Path all = Path.of(System.getProperty("java.io.tmpdir"));
    try (DirectoryStream<Path> left = Files.newDirectoryStream(all, KIT + "*")) {
      for (Path candidate : left) {
        if (isOfDeadProcess(candidate)) {
          sweep(candidate);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.warn("Cannot look for directories that killed tests left in {}", all, e);
    }
  }

  private static boolean isOfDeadProcess(Path candidate) {
    Matcher name = OURS.matcher(candidate.getFileName().toString());
    return name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty();
  }

  /** It may be another user's, or still in use by a process that is about to end: next time. */
  private static void sweep(Path left) {
    try {
      delete(left);
      LOG.info("Removed {}, which a killed process had left", left);
    } catch (UncheckedIOException e) {
      LOG.debug("Cannot remove {}, which a killed process left", left, e);
    }
  }

  private static final class Deletion extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.deleteIfExists(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
        throws IOException {
      if (failure != null) {
        throw failure;
      }
      Files.deleteIfExists(directory);
      return FileVisitResult.CONTINUE;
    }
  }
}
