package dev.millrace.testkit.fault;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/** The threads of this JVM. */
final class OwnThreads {
  private static final int FIRST_WITH_VIRTUAL_THREADS = 21;

  private OwnThreads() {}

  /** Returns their stacks and locks, and deadlocks, as {@code jcmd Thread.print -l} shows them. */
  static String dump() {
    return dump(Runtime.version().feature());
  }

  static String dump(int javaVersion) {
    String note =
        javaVersion < FIRST_WITH_VIRTUAL_THREADS
            ? ""
            : "Virtual threads are not among them; see jcmd %d Thread.dump_to_file%n"
                .formatted(ProcessHandle.current().pid());
    try {
      return note
          + ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "threadPrint",
                  new Object[] {new String[] {"-l"}},
                  new String[] {String[].class.getName()});
    } catch (JMException e) {
      return "(none: this JVM has no diagnostic commands: " + e + ")\n";
    }
  }
}
