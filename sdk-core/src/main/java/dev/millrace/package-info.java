/** Where it starts: {@link dev.millrace.KafkaFactory}. */
@NullMarked
package dev.millrace;

import org.jspecify.annotations.NullMarked;
