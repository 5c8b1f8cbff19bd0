/** What happened, one JSON line each, written so that it outlives the SIGKILL of its writer. */
@NullMarked
package dev.millrace.testkit.history;

import org.jspecify.annotations.NullMarked;
