@NullMarked
package dev.millrace.testkit.worker;

import org.jspecify.annotations.NullMarked;
