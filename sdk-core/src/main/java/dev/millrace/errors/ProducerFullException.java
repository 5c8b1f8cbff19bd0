package dev.millrace.errors;

/**
 * A record was not sent, since its producer had as much on its way as {@code max-in-flight-records}
 * and {@code max-in-flight-bytes} allow. It was not written, and may be sent again.
 */
public final class ProducerFullException extends MillraceException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what was on its way, how much there was room for, and who waited how long
   */
  public ProducerFullException(String message) {
    super(message, null);
  }
}
