@NullMarked
package dev.millrace.examples.testing;

import org.jspecify.annotations.NullMarked;
