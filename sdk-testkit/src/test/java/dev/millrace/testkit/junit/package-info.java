@NullMarked
package dev.millrace.testkit.junit;

import org.jspecify.annotations.NullMarked;
