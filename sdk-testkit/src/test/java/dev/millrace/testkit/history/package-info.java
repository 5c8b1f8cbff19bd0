@NullMarked
package dev.millrace.testkit.history;

import org.jspecify.annotations.NullMarked;
