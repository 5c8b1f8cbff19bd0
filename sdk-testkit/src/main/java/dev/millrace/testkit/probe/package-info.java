/** What a test left in a topic or a group, seen from outside. */
@NullMarked
package dev.millrace.testkit.probe;

import org.jspecify.annotations.NullMarked;
