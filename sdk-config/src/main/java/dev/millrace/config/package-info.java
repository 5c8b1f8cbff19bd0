/**
 * Definitions of producers and consumers as immutable records, and the loader that reads them from
 * YAML or JSON.
 */
@NullMarked
package dev.millrace.config;

import org.jspecify.annotations.NullMarked;
