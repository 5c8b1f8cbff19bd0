package dev.millrace.testkit.proxy;

import java.util.Arrays;

/** Where the threads of proxies stand: some waits leave no other trace. */
final class ProxyStacks {
  private ProxyStacks() {}

  /** Whether one of them is in a method, given as {@code Class.method}. */
  static boolean show(String method) {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(thread -> thread.getKey().getName().startsWith("millrace-proxy-"))
        .anyMatch(thread -> Arrays.toString(thread.getValue()).contains(method));
  }
}
