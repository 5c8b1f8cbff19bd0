@NullMarked
package dev.millrace.testkit.guarantee;

import org.jspecify.annotations.NullMarked;
