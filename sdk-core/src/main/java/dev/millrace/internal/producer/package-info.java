/** The pool of shared Kafka producers and the handles on them. Not API. */
@NullMarked
package dev.millrace.internal.producer;

import org.jspecify.annotations.NullMarked;
