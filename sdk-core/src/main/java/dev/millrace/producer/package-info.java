/** Producing: handles on the named producers. */
@NullMarked
package dev.millrace.producer;

import org.jspecify.annotations.NullMarked;
