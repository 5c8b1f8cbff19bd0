package dev.millrace.testkit.proxy;

/** Which way bytes flow. */
public enum Direction {
  /** Requests: from the client to the broker. */
  TO_BROKER,
  /** Responses: from the broker to the client. */
  TO_CLIENT
}
