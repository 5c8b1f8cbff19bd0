@NullMarked
package dev.millrace.testkit.probe;

import org.jspecify.annotations.NullMarked;
