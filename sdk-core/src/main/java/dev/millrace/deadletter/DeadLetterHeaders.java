package dev.millrace.deadletter;

/**
 * The names of the headers that Millrace adds to a record on its way to a dead-letter topic, and on
 * its way back. Numbers and texts are in UTF-8.
 */
public final class DeadLetterHeaders {
  /** What all of them begin with. */
  public static final String PREFIX = "millrace-";

  /** What those begin with that tell where the record stood when it was given up. */
  public static final String ORIGIN_PREFIX = PREFIX + "origin-";

  /** The topic that it was read from. */
  public static final String ORIGIN_TOPIC = ORIGIN_PREFIX + "topic";

  /** The partition that it was read from. */
  public static final String ORIGIN_PARTITION = ORIGIN_PREFIX + "partition";

  /** Its offset there. */
  public static final String ORIGIN_OFFSET = ORIGIN_PREFIX + "offset";

  /** Its timestamp there, in milliseconds since 1970. */
  public static final String ORIGIN_TIMESTAMP = ORIGIN_PREFIX + "timestamp";

  /** The group that gave it up. */
  public static final String GROUP = PREFIX + "group";

  /** How many attempts it had. */
  public static final String ATTEMPTS = PREFIX + "attempts";

  /**
   * Why it had no other attempt, in words such as {@code attempts used up}, {@code max-duration
   * reached}, {@code undecodable} or {@code non-retryable: java.lang.ArithmeticException listed}.
   */
  public static final String GAVE_UP = PREFIX + "gave-up";

  /** The class of the last failure. */
  public static final String EXCEPTION_CLASS = PREFIX + "exception-class";

  /** The message of the last failure, cut at 512 characters. */
  public static final String EXCEPTION_MESSAGE = PREFIX + "exception-message";

  /**
   * What was left out of a dead letter that was too large for its topic, with commas between:
   * {@code exception-message}, {@code exception-class}, {@code headers}, {@code value}, {@code
   * key}; absent when nothing was.
   */
  public static final String TRIMMED = PREFIX + "trimmed";

  /** In {@link #TRIMMED}: the headers that the record came with, and all that goes after them. */
  static final String TRIMMED_HEADERS = "headers";

  /** {@code true} on a dead letter without its value, which only stands where it came from. */
  public static final String REFERENCE = PREFIX + "reference";

  /** Of a record that was redriven: the group it has come back for. */
  public static final String REDRIVE_GROUP = PREFIX + "redrive-group";

  /** How often the record was redriven; absent when it never was. */
  public static final String REDRIVES = PREFIX + "redrives";

  /** What makes {@link #REDRIVE_GROUP} count: a checksum that fits this record only. */
  public static final String REDRIVE_CHECK = PREFIX + "redrive-check";

  private DeadLetterHeaders() {}
}
