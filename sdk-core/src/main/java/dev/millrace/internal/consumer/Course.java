package dev.millrace.internal.consumer;

/** How a consumer comes by its partitions, and when it has read all that it is to read. */
interface Course {

  /** Poll thread, before the first poll. */
  void begin();

  /** Poll thread, before each poll. Returns whether there is nothing more to do. */
  default boolean isOver() {
    return false;
  }
}
