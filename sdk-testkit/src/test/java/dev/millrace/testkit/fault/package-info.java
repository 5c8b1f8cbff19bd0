@NullMarked
package dev.millrace.testkit.fault;

import org.jspecify.annotations.NullMarked;
