/** Consuming: the handler a service writes, and the handle on the consumer that runs it. */
@NullMarked
package dev.millrace.consumer;

import org.jspecify.annotations.NullMarked;
